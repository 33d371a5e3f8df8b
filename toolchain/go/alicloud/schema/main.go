// Command schema prints, as JSON, every resource and data source of the provider with the property names and shapes
// that the bridge gives them. With a file as its argument it applies that table instead of the checked-in one.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"

	"multihost.dev/toolchain/alicloud/mapping"
)

type property struct {
	Name       string               `json:"name"`
	Kind       string               `json:"kind"`
	Required   bool                 `json:"required,omitempty"`
	Optional   bool                 `json:"optional,omitempty"`
	Computed   bool                 `json:"computed,omitempty"`
	Sensitive  bool                 `json:"sensitive,omitempty"`
	Removed    bool                 `json:"removed,omitempty"`
	Flattened  bool                 `json:"flattened,omitempty"`
	Element    string               `json:"element,omitempty"`
	Properties map[string]*property `json:"properties,omitempty"`
}

type element struct {
	Token      string               `json:"token,omitempty"`
	Properties map[string]*property `json:"properties"`
}

type document struct {
	Config      map[string]*property `json:"config"`
	Resources   map[string]*element  `json:"resources"`
	DataSources map[string]*element  `json:"dataSources"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	provider, err := load()
	if err != nil {
		return err
	}
	result := document{
		Config:      properties(provider.P.Schema(), provider.Config),
		Resources:   map[string]*element{},
		DataSources: map[string]*element{},
	}
	provider.P.ResourcesMap().Range(func(name string, resource shim.Resource) bool {
		entry := &element{}
		var infos map[string]*tfbridge.SchemaInfo
		if info := provider.Resources[name]; info != nil {
			entry.Token, infos = string(info.Tok), info.Fields
		}
		entry.Properties = properties(resource.Schema(), infos)
		result.Resources[name] = entry
		return true
	})
	provider.P.DataSourcesMap().Range(func(name string, resource shim.Resource) bool {
		entry := &element{}
		var infos map[string]*tfbridge.SchemaInfo
		if info := provider.DataSources[name]; info != nil {
			entry.Token, infos = string(info.Tok), info.Fields
		}
		entry.Properties = properties(resource.Schema(), infos)
		result.DataSources[name] = entry
		return true
	})
	return json.NewEncoder(os.Stdout).Encode(result)
}

func load() (tfbridge.ProviderInfo, error) {
	if len(os.Args) < 2 {
		return mapping.Provider("0.0.0")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return tfbridge.ProviderInfo{}, err
	}
	var table mapping.Table
	if err := json.Unmarshal(text, &table); err != nil {
		return tfbridge.ProviderInfo{}, err
	}
	return mapping.ProviderWith("0.0.0", table)
}

func properties(schemas shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo) map[string]*property {
	result := map[string]*property{}
	schemas.Range(func(name string, schema shim.Schema) bool {
		info := infos[name]
		described := &property{
			Name:      tfbridge.TerraformToPulumiNameV2(name, schemas, infos),
			Kind:      schema.Type().String(),
			Required:  schema.Required(),
			Optional:  schema.Optional(),
			Computed:  schema.Computed(),
			Sensitive: schema.Sensitive(),
			Removed:   schema.Removed() != "",
			Flattened: tfbridge.IsMaxItemsOne(schema, info),
		}
		switch nested := schema.Elem().(type) {
		case shim.Resource:
			var nestedInfos map[string]*tfbridge.SchemaInfo
			if info != nil && info.Elem != nil {
				nestedInfos = info.Elem.Fields
			}
			described.Properties = properties(nested.Schema(), nestedInfos)
		case shim.Schema:
			described.Element = nested.Type().String()
		}
		result[name] = described
		return true
	})
	return result
}
