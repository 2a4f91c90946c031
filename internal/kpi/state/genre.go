package state

// genre is the partial result of one genre.
type genre struct {
	rows        int64
	duration    sum
	durations   int64 // rows that have one
	popularity  sum
	popularitys int64
	top         candidate
}

func (g *genre) merge(o *genre) {
	g.rows += o.rows
	g.duration.merge(o.duration)
	g.durations += o.durations
	g.popularity.merge(o.popularity)
	g.popularitys += o.popularitys
	if o.top.any && o.top.before(&g.top) {
		g.top = o.top
	}
}

// genres are those of a state, by name; none is that of the rows that have no genre.
type genres struct {
	named map[string]*genre
	none  genre
}

func (s *genres) of(name string) *genre {
	g := s.named[name]
	if g == nil {
		if s.named == nil {
			s.named = map[string]*genre{}
		}
		g = &genre{}
		s.named[name] = g
	}
	return g
}

func (s *genres) merge(o *genres) {
	s.none.merge(&o.none)
	for name, g := range o.named {
		if g.rows > 0 {
			s.of(name).merge(g)
		}
	}
}

// candidate is the row that may be the top one.
type candidate struct {
	any           bool
	noPopularity  bool
	popularity    int64
	name, artists *string
}

// beats says whether c beats a row by its popularity (ok: it has one) alone: then there is no need to look at the texts.
func (c *candidate) beats(popularity int64, ok bool) bool {
	if !c.any {
		return false
	}
	if !ok {
		return !c.noPopularity
	}
	return !c.noPopularity && c.popularity > popularity
}

// before says whether c beats o: the higher popularity, NULL being the lowest; then the smaller track_name, then artists, NULL
// being the greatest.
func (c *candidate) before(o *candidate) bool {
	switch {
	case !o.any:
		return true
	case c.noPopularity != o.noPopularity:
		return o.noPopularity
	case c.popularity != o.popularity:
		return c.popularity > o.popularity
	}
	if d := compareText(c.name, o.name); d != 0 {
		return d < 0
	}
	return compareText(c.artists, o.artists) < 0
}

// compareText orders texts by bytes, nil last.
func compareText(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case *a < *b:
		return -1
	case *a > *b:
		return 1
	}
	return 0
}
