package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

const dataFolder = "/var/lib/rancher/k3s"

// The keys of k3s's own configuration that cloudcode sets; another one is refused, as its meaning would be lost here.
type config struct {
	NodeName            string   `json:"node-name"`
	ClusterCIDR         string   `json:"cluster-cidr"`
	ServiceCIDR         string   `json:"service-cidr"`
	TLSSan              []string `json:"tls-san"`
	WriteKubeconfig     string   `json:"write-kubeconfig"`
	WriteKubeconfigMode string   `json:"write-kubeconfig-mode"`
	PrivateRegistry     string   `json:"private-registry"`
	// The stand-in pulls nothing, so only the name matters.
	DisableDefaultRegistry bool     `json:"disable-default-registry-endpoint"`
	AgentTokenFile         string   `json:"agent-token-file"`
	NodeIP                 string   `json:"node-ip"`
	FlannelIface           string   `json:"-"`
	FlannelBackend         string   `json:"flannel-backend"`
	Disable                []string `json:"disable"`
	DisableHelmController  bool     `json:"disable-helm-controller"`
	DisableCloudController bool     `json:"disable-cloud-controller"`
}

func readConfig(file, iface string) config {
	text, err := os.ReadFile(file)
	if err != nil {
		fail("%v", err)
	}
	var c config
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		fail("%s: %v", file, err)
	}
	c.FlannelIface = iface
	for _, packaged := range []string{"traefik", "servicelb", "metrics-server", "local-storage"} {
		if !slices.Contains(c.Disable, packaged) {
			fail("%s is not disabled; the first two take ports 80 and 443", packaged)
		}
	}
	if !c.DisableHelmController || !c.DisableCloudController {
		fail("helm controller and cloud controller are not disabled")
	}
	if c.WriteKubeconfigMode != "0600" {
		fail("the administrator's kubeconfig would be readable by others: mode %q", c.WriteKubeconfigMode)
	}
	for _, address := range c.TLSSan {
		if net.ParseIP(address) == nil {
			fail("tls-san %q is no address", address)
		}
	}
	for _, network := range []string{c.ClusterCIDR, c.ServiceCIDR} {
		if _, _, err := net.ParseCIDR(network); err != nil {
			fail("%v", err)
		}
	}
	if c.AgentTokenFile != "" {
		if c.FlannelBackend != "wireguard-native" {
			fail("machines would speak to each other in the clear: flannel-backend %q", c.FlannelBackend)
		}
		checkInterface(c.FlannelIface, c.NodeIP)
	}
	checkRegistries(c.PrivateRegistry)
	checkImages()
	return c
}

// The real one takes its address for the others from this interface.
func checkInterface(name, address string) {
	found := value(net.InterfaceByName(name))
	for _, one := range value(found.Addrs()) {
		if one.(*net.IPNet).IP.String() == address {
			return
		}
	}
	fail("flannel-iface %s has no address %q", name, address)
}

func checkRegistries(file string) {
	var registries struct {
		Mirrors map[string]struct {
			Endpoint []string `json:"endpoint"`
		} `json:"mirrors"`
	}
	text, err := os.ReadFile(file)
	if err != nil {
		fail("private-registry: %v", err)
	}
	if err := yaml.UnmarshalStrict(text, &registries); err != nil {
		fail("%s: %v", file, err)
	}
}

// The real one imports every archive of this folder before its first pod, and has no other source without a registry.
func checkImages() {
	file := filepath.Join(dataFolder, "agent", "images", "k3s-airgap-images-amd64.tar.zst")
	text, err := os.ReadFile(file)
	if err != nil {
		fail("%v", err)
	}
	if !bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		fail("%s is not compressed by zstd", file)
	}
}
