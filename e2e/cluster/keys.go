package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// runKeys writes into a folder what a cluster needs before it starts: the key that service account tokens are signed
// with, the tokens of its administrator and of its node, as kube-apiserver's --token-auth-file, and the certificate by
// which a kubelet knows the API server.
func runKeys() int {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: kube keys FOLDER")
		return 2
	}
	if err := writeKeys(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "kube keys: %v\n", err)
		return 1
	}
	return 0
}

func writeKeys(folder string) error {
	if _, err := writeKey(filepath.Join(folder, "service-account.key")); err != nil {
		return err
	}
	if err := writeTokens(folder); err != nil {
		return err
	}
	return writeKubeletClient(folder)
}

// writeTokens makes one secret for the administrator and one for the node, whose name is `node`.
func writeTokens(folder string) error {
	rows := ""
	for _, who := range []struct{ file, user, group string }{
		{"admin.token", "admin", "system:masters"},
		{"node.token", "system:node:node", "system:nodes"},
	} {
		token := rand.Text()
		if err := os.WriteFile(filepath.Join(folder, who.file), []byte(token), 0o600); err != nil {
			return err
		}
		rows += fmt.Sprintf("%s,%s,%s,%s\n", token, who.user, who.user, who.group)
	}
	return os.WriteFile(filepath.Join(folder, "tokens.csv"), []byte(rows), 0o600)
}

// writeKubeletClient makes an authority, and the API server's certificate by it: kubelets let nobody else read logs.
func writeKubeletClient(folder string) error {
	authority := certificate("kubelet-clients")
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	authorityKey, err := writeKey(filepath.Join(folder, "kubelet-ca.key"))
	if err != nil {
		return err
	}
	if err := writeCertificate(filepath.Join(folder, "kubelet-ca.crt"), authority, authority, authorityKey, authorityKey); err != nil {
		return err
	}
	client := certificate("kube-apiserver")
	client.Subject.Organization = []string{"system:masters"}
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	key, err := writeKey(filepath.Join(folder, "kubelet-client.key"))
	if err != nil {
		return err
	}
	return writeCertificate(filepath.Join(folder, "kubelet-client.crt"), client, authority, key, authorityKey)
}

func certificate(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func writeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("failed to make a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("failed to write a key: %w", err)
	}
	return key, writePem(path, "EC PRIVATE KEY", der)
}

func writeCertificate(path string, it, by *x509.Certificate, key, authority *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, it, by, &key.PublicKey, authority)
	if err != nil {
		return fmt.Errorf("failed to make the certificate of %s: %w", it.Subject.CommonName, err)
	}
	return writePem(path, "CERTIFICATE", der)
}

func writePem(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
