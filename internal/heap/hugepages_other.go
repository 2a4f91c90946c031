//go:build !linux

package heap

func advisable() bool { return false }

func prepare(int) {}
