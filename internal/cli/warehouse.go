package cli

import (
	"context"
	"errors"
	"log/slog"

	"mss/internal/config"
	"mss/internal/kpi"
)

type warehouse struct{ kpi.Warehouse }

func (w *warehouse) Close() error { return nil }

func openWarehouse(context.Context, *config.Config, *slog.Logger) (*warehouse, error) {
	return nil, errors.New("warehouse: not built yet")
}

func queryInto(ctx context.Context, w *warehouse, sql string, begin func(columns []string) (resultWriter, error)) error {
	return errors.New("warehouse: not built yet")
}

func maskSecret(string) string { return "***" }
