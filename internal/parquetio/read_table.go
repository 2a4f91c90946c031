package parquetio

import (
	"mss/internal/schema"
)

// ReadTable reads a small table into memory: for each column a sorted dictionary and the codes of its rows, as WriteTable takes them.
// A table of one row group with sorted dictionaries, as WriteTable writes them, is taken as it stands; any other is encoded anew.
func ReadTable(f *File, columns []schema.Column) ([]ColumnData, error) {
	out := make([]ColumnData, len(columns))
	for i, col := range columns {
		var err error
		if out[i], err = readWhole(f, col); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readWhole reads a column of all row groups.
func readWhole(f *File, col schema.Column) (ColumnData, error) {
	var c columnReader
	codes := make([]uint32, 0, min(f.NumRows(), tableGroupRows))
	enc := NewColumnEncoder(col.Kind) // used when the codes cannot be taken as they are
	direct := f.NumRowGroups() == 1 && col.Kind != schema.Bool
	for rg := range f.NumRowGroups() {
		if err := c.open(f, rg, col); err != nil {
			return ColumnData{}, err
		}
		for {
			ok, err := c.next()
			if err != nil {
				return ColumnData{}, err
			}
			if !ok {
				break
			}
			p := &c.page
			direct = direct && p.coded
			for i := range p.rows {
				null := p.nulls > 0 && p.null[i]
				switch {
				case null:
					codes = append(codes, Null)
				case direct:
					codes = append(codes, uint32(p.codes[i]))
				case p.coded:
					codes = append(codes, enc.code(&c.dict, int(p.codes[i])))
				default:
					codes = append(codes, enc.code(&p.values, i))
				}
			}
			p.pos = p.rows
		}
	}
	if direct {
		d := c.dict.dict(col.Kind)
		if d.Sorted() {
			return ColumnData{Dict: d, Codes: codes}, nil
		}
		for i, code := range codes {
			if code != Null {
				codes[i] = enc.code(&c.dict, int(code))
			}
		}
	}
	return enc.Finish(codes), nil
}

// dict makes a dictionary of the values.
func (v *values) dict(kind schema.Kind) *Dict {
	d := NewDict(kind)
	d.Grow(v.n, len(v.text))
	for i := range v.n {
		if kind == schema.String {
			d.AddText(v.textAt(i))
		} else if kind == schema.Double {
			d.AddDouble(v.floats[i])
		} else {
			d.AddInt(v.ints[i])
		}
	}
	return d
}

func (v *values) textAt(i int) []byte { return v.text[v.offs[i]:v.offs[i+1]] }
