package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Makes and keeps the certificates of a cluster below one folder.
type authority struct {
	folder      string
	certificate *x509.Certificate
	key         crypto.Signer
}

// The earlier authority where there is one: a cluster keeps its own over restarts.
func openAuthority(folder string) authority {
	must(os.MkdirAll(folder, 0o700))
	a := authority{folder: folder}
	if text, err := os.ReadFile(a.path("ca.crt")); err == nil {
		block, _ := pem.Decode(text)
		a.certificate = value(x509.ParseCertificate(block.Bytes))
		block, _ = pem.Decode(value(os.ReadFile(a.path("ca.key"))))
		a.key = value(x509.ParsePKCS1PrivateKey(block.Bytes))
		return a
	}
	key := a.newKey("ca")
	template := template(pkix.Name{CommonName: "k3s-ca"})
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der := value(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	a.write("ca.crt", "CERTIFICATE", der)
	a.certificate, a.key = value(x509.ParseCertificate(der)), key
	return a
}

func (a authority) path(name string) string { return filepath.Join(a.folder, name) }

// Issues NAME.crt and NAME.key again; addresses make it one of a server.
func (a authority) issue(name string, subject pkix.Name, addresses []net.IP) {
	key := a.newKey(name)
	template := template(subject)
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	template.IPAddresses = addresses
	template.DNSNames = []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"}
	der := value(x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key))
	a.write(name+".crt", "CERTIFICATE", der)
}

// NAME's certificate and the authority's behind it, as k3s gives them to who asks; the path of the file.
func (a authority) chain(name string) string {
	text := append(value(os.ReadFile(a.path(name+".crt"))), value(os.ReadFile(a.path("ca.crt")))...)
	must(os.WriteFile(a.path(name+"-chain.crt"), text, 0o600))
	return a.path(name + "-chain.crt")
}

func (a authority) newKey(name string) crypto.Signer {
	key := value(rsa.GenerateKey(rand.Reader, 2048))
	a.write(name+".key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
	return key
}

func (a authority) write(name, kind string, der []byte) {
	must(os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func template(subject pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: value(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))),
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func value[T any](v T, err error) T {
	must(err)
	return v
}
