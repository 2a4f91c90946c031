package cli

import (
	"context"
	"errors"
	"log/slog"

	"mss/internal/config"
	"mss/internal/redshift"
)

// openWarehouse connects to the configured warehouse. readOnly is for queries: they create nothing.
func openWarehouse(ctx context.Context, cfg *config.Config, log *slog.Logger, readOnly bool) (*redshift.Warehouse, error) {
	w, err := redshift.Open(ctx, cfg.Warehouse, redshift.Options{
		Log: log, ReadOnly: readOnly, Secret: cfg.WarehouseSecret, Profile: cfg.Profile,
	})
	if errors.Is(err, redshift.ErrURL) {
		return nil, usageError{err}
	}
	return w, err
}

// query runs statements on the configured warehouse, and returns their results.
func (a *app) query(ctx context.Context, cfg *config.Config, statements ...string) ([]*redshift.Table, error) {
	w, err := openWarehouse(ctx, cfg, a.log, true)
	if err != nil {
		return nil, err
	}
	var results []*redshift.Table
	for _, sql := range statements {
		var t *redshift.Table
		if t, err = w.Query(ctx, sql); err != nil {
			break
		}
		results = append(results, t)
	}
	return results, errors.Join(err, w.Close())
}
