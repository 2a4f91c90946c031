package demodata

import (
	"context"
	"fmt"
)

const usersKey = "metadata/users.csv"

// brokenRow is the number of metadata rows that one broken row comes with.
const brokenRow = 1500

func (w *world) writeUsers(ctx context.Context, out *lines) error {
	r := w.opt.rand(seedUsers)
	out.line = append(out.line, "user_id,user_name,user_age,user_country,created_at"...)
	if err := out.end(); err != nil {
		return err
	}
	for i := range w.opt.Users {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		name := pick(r, givenNames) + " " + pick(r, familyNames)
		if i%60 == 7 {
			name = pick(r, familyNames) + ", " + pick(r, givenNames) // a quoted comma
		}
		age, country := 14+r.IntN(60), pick(r, countries)
		joined := firstDay.AddDate(0, 0, -1-r.IntN(400))
		row := func(id, createdAt string) error {
			out.line = append(append(out.line, id...), ',')
			out.line = append(appendField(out.line, name), ',')
			out.line = fmt.Appendf(out.line, "%d,", age)
			out.line = append(appendField(out.line, country), ',')
			out.line = append(out.line, createdAt...)
			return out.end()
		}
		id := fmt.Sprint(i + 1)
		if err := row(id, joined.Format("2006-01-02")); err != nil {
			return err
		}
		var err error
		switch {
		case i%1000 == 321: // registered twice: the earlier date stays
			err = row(id, joined.AddDate(0, 0, 30).Format("2006-01-02"))
		case i%(2*brokenRow) == brokenRow/3:
			err = row(id, "yesterday")
		case i%(2*brokenRow) == brokenRow/3+brokenRow:
			err = row("", joined.Format("2006-01-02"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
