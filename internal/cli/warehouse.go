package cli

import (
	"context"
	"errors"
	"log/slog"

	"mss/internal/config"
	"mss/internal/kpi"
)

func openWarehouse(context.Context, *config.Config, *slog.Logger) (kpi.Warehouse, error) {
	return nil, errors.New("warehouse: not built yet")
}

func closeWarehouse(kpi.Warehouse, *error) {}

func maskSecret(string) string { return "***" }
