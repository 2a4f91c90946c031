package state

// Used counts the users and the songs that occur in the Total: the keys may hold more, of objects that are gone.
func (t *Total) Used() (users, songs int) {
	for _, bits := range t.users {
		if bits != 0 {
			users++
		}
	}
	for code := range t.songs {
		for h := range hours {
			if t.count(uint32(code), h) > 0 {
				songs++
				break
			}
		}
	}
	return users, songs
}
