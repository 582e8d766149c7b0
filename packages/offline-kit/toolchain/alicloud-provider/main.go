// Stand-in for pulumi-resource-alicloud, used only where the official one cannot be downloaded: the unmodified Terraform
// provider behind Pulumi's bridge, as in the official plugin, with the types of tokens.json only. Its v1.285.0 is the newest
// that the Go proxy serves. @pulumi/alicloud 3.108.0 is generated from a later one: this plugin does not know its inputs
// enableNetworkEncryption and instanceMetadataTags of Instance, sourceGroupOwnerId of SecurityGroupRule, associationType and
// targetTags of AutoSnapshotPolicy.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"log"

	"github.com/aliyun/terraform-provider-alicloud/alicloud"
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

const name = "alicloud"

// version is that of @pulumi/alicloud; the build sets it.
var version string

//go:embed tokens.json
var table []byte

// mapped holds Pulumi tokens by Terraform name.
type mapped struct {
	Resources map[string]tokens.Type
	Functions map[string]tokens.ModuleMember
}

// keep drops what is not wanted, which the bridge would report as unmapped, and fails when something wanted is missing.
func keep[T any](types map[string]*schema.Resource, wanted map[string]T) error {
	for key := range wanted {
		if types[key] == nil {
			return fmt.Errorf("the Terraform provider has no %s", key)
		}
	}
	for key := range types {
		if _, ok := wanted[key]; !ok {
			delete(types, key)
		}
	}
	return nil
}

func fromEnvironment(variable string) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}}}
}

// describe says how the bridge has to present the provider.
func describe(tf *schema.Provider, wanted mapped) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       shimv1.NewProvider(tf),
		Name:    name,
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"ecs_role_name": fromEnvironment("ALICLOUD_ECS_ROLE_NAME"),
			"profile":       fromEnvironment("ALICLOUD_PROFILE"),
			"region":        fromEnvironment("ALICLOUD_REGION"),
		},
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
	}
	for key, token := range wanted.Resources {
		info.Resources[key] = &tfbridge.ResourceInfo{Tok: token}
	}
	for key, token := range wanted.Functions {
		info.DataSources[key] = &tfbridge.DataSourceInfo{Tok: token}
	}
	// As in the official plugin, which keeps the property from when there could be one item only.
	info.Resources["alicloud_instance"].Fields = map[string]*tfbridge.SchemaInfo{
		"network_interfaces": {MaxItemsOne: tfbridge.True()},
	}
	info.SetAutonaming(255, "-")
	return info
}

func main() {
	var wanted mapped
	if err := json.Unmarshal(table, &wanted); err != nil {
		log.Fatalf("tokens.json: %v", err)
	}
	tf, ok := alicloud.Provider().(*schema.Provider)
	if !ok {
		log.Fatal("the Terraform provider is not one of plugin SDK v1")
	}
	if err := keep(tf.ResourcesMap, wanted.Resources); err != nil {
		log.Fatal(err)
	}
	if err := keep(tf.DataSourcesMap, wanted.Functions); err != nil {
		log.Fatal(err)
	}
	// The Node SDK brings its own schema, so the engine needs no more of it than this.
	schemaStub := fmt.Appendf(nil, `{"name":%q,"version":%q}`, name, version)
	tfbridge.Main(name, version, describe(tf, wanted), schemaStub)
}
