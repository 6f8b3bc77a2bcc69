package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// runKeys writes into a folder what a control plane needs before it starts: the key that service account tokens are
// signed with, and the token of its administrator, as kube-apiserver's --token-auth-file.
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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("failed to make a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("failed to write a key: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(folder, "service-account.key"), block, 0o600); err != nil {
		return err
	}
	token := rand.Text()
	if err := os.WriteFile(filepath.Join(folder, "admin.token"), []byte(token), 0o600); err != nil {
		return err
	}
	row := fmt.Sprintf("%s,admin,admin,system:masters\n", token)
	return os.WriteFile(filepath.Join(folder, "tokens.csv"), []byte(row), 0o600)
}
