package kpi

import (
	"testing"
	"time"
)

func TestHourBeforeTheEpoch(t *testing.T) {
	for _, c := range []struct {
		text string
		hour uint8
	}{{"1969-12-31T23:59:59.999999Z", 23}, {"0001-01-01T00:00:00Z", 0}, {"1970-01-01T00:00:00Z", 0}, {"9999-12-31T13:00:00Z", 13}} {
		at, err := time.Parse(time.RFC3339Nano, c.text)
		if err != nil {
			t.Fatal(err)
		}
		if h := hourOf(at.UnixMicro()); h != c.hour {
			t.Errorf("%s: hour %d, want %d", c.text, h, c.hour)
		}
	}
}
