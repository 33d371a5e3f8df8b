// Package mapping says which Pulumi token stands for which Terraform resource, and where a property's name or shape
// differs from what the bridge would compute.
package mapping

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/aliyun/terraform-provider-alicloud/alicloud"
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// Package is the name of the Pulumi package.
const Package = "alicloud"

const legacySuffix = "_legacy"

//go:embed mapping.json
var table []byte

// Field is what differs from the bridge's defaults in one property.
type Field struct {
	Name        string            `json:"name,omitempty"`
	MaxItemsOne *bool             `json:"maxItemsOne,omitempty"`
	Secret      *bool             `json:"secret,omitempty"`
	EnvVars     []string          `json:"envVars,omitempty"`
	Fields      map[string]*Field `json:"fields,omitempty"`
}

// Element is one resource or data source. Legacy is an older token that still works.
type Element struct {
	Token  string            `json:"token"`
	Legacy string            `json:"legacy,omitempty"`
	Fields map[string]*Field `json:"fields,omitempty"`
}

// Table is the content of mapping.json.
type Table struct {
	Config      map[string]*Field   `json:"config"`
	Resources   map[string]*Element `json:"resources"`
	DataSources map[string]*Element `json:"dataSources"`
}

// Provider returns the provider with the checked-in table applied.
func Provider(version string) (tfbridge.ProviderInfo, error) {
	var parsed Table
	if err := json.Unmarshal(table, &parsed); err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("mapping.json: %w", err)
	}
	return ProviderWith(version, parsed)
}

// ProviderWith returns the provider with the given table applied.
func ProviderWith(version string, table Table) (tfbridge.ProviderInfo, error) {
	upstream, ok := alicloud.Provider().(*schema.Provider)
	if !ok {
		return tfbridge.ProviderInfo{}, fmt.Errorf("the provider module is not of the expected SDK")
	}
	// The bridge takes a renamed resource for two that share one implementation.
	for name, element := range table.Resources {
		if implementation, known := upstream.ResourcesMap[name]; !known {
			return tfbridge.ProviderInfo{}, fmt.Errorf("mapping.json: no resource %s in the provider", name)
		} else if element.Legacy != "" {
			upstream.ResourcesMap[name+legacySuffix] = implementation
		}
	}
	for name, element := range table.DataSources {
		if implementation, known := upstream.DataSourcesMap[name]; !known {
			return tfbridge.ProviderInfo{}, fmt.Errorf("mapping.json: no data source %s in the provider", name)
		} else if element.Legacy != "" {
			upstream.DataSourcesMap[name+legacySuffix] = implementation
		}
	}

	provider := tfbridge.ProviderInfo{
		P:           shimv1.NewProvider(upstream),
		Name:        Package,
		Version:     version,
		Config:      schemaInfos(table.Config),
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
	}
	for name, element := range table.Resources {
		token := tokens.Type(element.Token)
		provider.Resources[name] = &tfbridge.ResourceInfo{Tok: token, Fields: schemaInfos(element.Fields)}
		if element.Legacy != "" {
			legacy := tokens.Type(element.Legacy)
			provider.Resources[name+legacySuffix] = &tfbridge.ResourceInfo{Tok: legacy, Fields: schemaInfos(element.Fields)}
		}
	}
	for name, element := range table.DataSources {
		token := tokens.ModuleMember(element.Token)
		provider.DataSources[name] = &tfbridge.DataSourceInfo{Tok: token, Fields: schemaInfos(element.Fields)}
		if element.Legacy != "" {
			legacy := tokens.ModuleMember(element.Legacy)
			provider.DataSources[name+legacySuffix] = &tfbridge.DataSourceInfo{Tok: legacy, Fields: schemaInfos(element.Fields)}
		}
	}
	// What the official plugin does to every property called `name`: the resource's name and a random suffix.
	provider.SetAutonaming(255, "-")
	return provider, nil
}

func schemaInfos(fields map[string]*Field) map[string]*tfbridge.SchemaInfo {
	if len(fields) == 0 {
		return map[string]*tfbridge.SchemaInfo{}
	}
	infos := make(map[string]*tfbridge.SchemaInfo, len(fields))
	for name, field := range fields {
		info := &tfbridge.SchemaInfo{Name: field.Name, MaxItemsOne: field.MaxItemsOne, Secret: field.Secret}
		if len(field.EnvVars) > 0 {
			info.Default = &tfbridge.DefaultInfo{EnvVars: field.EnvVars}
		}
		if len(field.Fields) > 0 {
			info.Elem = &tfbridge.SchemaInfo{Fields: schemaInfos(field.Fields)}
		}
		infos[name] = info
	}
	return infos
}
