package demodata

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// The plays of a data set span these days; each file has its share of them.
const days = 30

var firstDay = time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)

// One play in this many is of a track, or by a user, that the metadata does not know.
const (
	unknownTrack = 120
	unknownUser  = 250
)

// brokenPlay is the number of plays that one broken line comes with: far below one in a hundred.
const brokenPlay = 2500

func streamKey(i int) string { return fmt.Sprintf("streams/streams%d.csv", i+1) }

func (w *world) writePlays(ctx context.Context, out *lines, file int) error {
	files := int64(w.opt.Files)
	first, last := w.opt.Plays*int64(file)/files, w.opt.Plays*int64(file+1)/files
	dayFrom := file * days / w.opt.Files
	dayTo := max(dayFrom+1, (file+1)*days/w.opt.Files)
	dates := make([]string, 0, days)
	for d := dayFrom; d < dayTo; d++ {
		dates = append(dates, firstDay.AddDate(0, 0, d).Format("2006-01-02 "))
	}
	r := w.opt.rand(seedPlays + uint64(file))

	out.line = append(out.line, "user_id,track_id,listen_time"...)
	if err := out.end(); err != nil {
		return err
	}
	for i := first; i < last; i++ {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		// Two draws of 64 bits serve the whole play: each field takes bits of its own.
		a, b := r.Uint64(), r.Uint64()
		track := int(w.tracks[a%tableSize])
		if (a>>20)%unknownTrack == 0 {
			track = w.known + int((a>>32)%uint64(len(w.trackIDs)-w.known))
		}
		user := int(w.users[b%tableSize])
		if (b>>20)%unknownUser == 0 {
			user = w.opt.Users + int((b>>32)%uint64(w.strange))
		}
		p := play{
			user: user + 1, track: w.trackIDs[track][:], date: dates[(a>>40)%uint64(len(dates))],
			hour: w.hours[(b>>40)%1024], second: uint16((b >> 50) % 3600),
		}
		out.line = p.append(out.line)
		if err := out.end(); err != nil {
			return err
		}
		if i%brokenPlay == brokenPlay/3 {
			out.line = p.appendBroken(out.line, int(i/brokenPlay))
			if err := out.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

type play struct {
	user   int
	track  []byte
	date   string // with the space that follows it
	hour   byte
	second uint16 // within the hour
}

func (p play) append(line []byte) []byte {
	line = strconv.AppendInt(line, int64(p.user), 10)
	line = append(line, ',')
	line = append(line, p.track...)
	line = append(line, ',')
	return p.appendTime(line)
}

func (p play) appendTime(line []byte) []byte {
	line = append(line, p.date...)
	line = twoDigits(line, uint16(p.hour))
	line = twoDigits(append(line, ':'), p.second/60)
	return twoDigits(append(line, ':'), p.second%60)
}

func twoDigits(line []byte, n uint16) []byte {
	return append(line, byte('0'+n/10), byte('0'+n%10))
}

// appendBroken appends the play with a defect, each of which costs this one line.
func (p play) appendBroken(line []byte, kind int) []byte {
	switch kind % 6 {
	case 0: // the month does not exist
		return fmt.Appendf(line, "%d,%s,2024-13-01 10:00:00", p.user, p.track)
	case 1: // cut short
		return fmt.Appendf(line, "%d,%s", p.user, p.track)
	case 2: // not a number
		return p.appendTime(fmt.Appendf(line, "guest,%s,", p.track))
	case 3: // a quote inside an unquoted field
		return p.appendTime(fmt.Appendf(line, "%d,%s\"%s,", p.user, p.track[:9], p.track[9:]))
	case 4: // no track
		return p.appendTime(fmt.Appendf(line, "%d,,", p.user))
	}
	return p.appendTime(fmt.Appendf(line, "%d,%s\xff\xfe,", p.user, p.track[:20])) // not UTF-8
}
