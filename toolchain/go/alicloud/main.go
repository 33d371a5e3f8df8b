// Command pulumi-resource-alicloud is the Alibaba Cloud plugin, built from the public provider module where the
// official binary can't be downloaded.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

	"multihost.dev/toolchain/alicloud/mapping"
)

// Set by the linker; the engine compares it with the version that the npm package asks for.
var version = "0.0.0-dev"

func main() {
	provider, err := mapping.Provider(version)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Programs in TypeScript carry their own types, so the plugin serves no full schema.
	schema, err := json.Marshal(map[string]string{"name": mapping.Package, "version": version})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tfbridge.Main(mapping.Package, version, provider, schema)
}
