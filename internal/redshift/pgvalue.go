package redshift

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// fromText is the native value of a column's text. What has no native form, as infinite times, stays text.
func fromText(oid uint32, s string) (any, error) {
	switch oid {
	case pgtype.BoolOID:
		return s == "t", nil
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("integer of the warehouse: %w", err)
		}
		return v, nil
	case pgtype.Float4OID, pgtype.Float8OID:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("double of the warehouse: %w", err)
		}
		return v, nil
	case pgtype.NumericOID: // as text: a float64 would round it
		if s == "NaN" || strings.HasSuffix(s, "Infinity") {
			return s, nil
		}
		return json.Number(s), nil
	case pgtype.TimestampOID:
		return timeOr(s, "2006-01-02 15:04:05.999999"), nil
	case pgtype.TimestamptzOID:
		return timeOr(s, "2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07:00:00"), nil
	case pgtype.ByteaOID:
		if digits, ok := strings.CutPrefix(s, `\x`); ok {
			if v, err := hex.DecodeString(digits); err == nil {
				return v, nil
			}
		}
	}
	return s, nil
}

func timeOr(s string, layouts ...string) any {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return s
}
