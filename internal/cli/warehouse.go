package cli

import (
	"context"
	"errors"

	"mss/internal/config"
	"mss/internal/redshift"
)

// openWarehouse connects to the configured warehouse.
func openWarehouse(ctx context.Context, cfg *config.Config, opt redshift.Options) (*redshift.Warehouse, error) {
	opt.Secret, opt.Profile = cfg.WarehouseSecret, cfg.Profile
	w, err := redshift.Open(ctx, cfg.Warehouse, opt)
	if errors.Is(err, redshift.ErrURL) {
		return nil, usageError{err}
	}
	return w, err
}

// copyOptions say how the rows of a run get to the warehouse, by way of the temporary place or not.
func copyOptions(cfg *config.Config, temp redshift.Temp) (redshift.CopyOptions, error) {
	opt := redshift.CopyOptions{Mode: redshift.Mode(cfg.LoadMode), Role: cfg.CopyRole, Temp: temp}
	if err := opt.Check(cfg.Warehouse); err != nil {
		return opt, usageError{err}
	}
	return opt, nil
}

// query runs statements on the configured warehouse, and returns their results.
func (a *app) query(ctx context.Context, cfg *config.Config, statements ...string) ([]*redshift.Table, error) {
	w, err := openWarehouse(ctx, cfg, redshift.Options{Log: a.log, ReadOnly: true}) // creates nothing
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
