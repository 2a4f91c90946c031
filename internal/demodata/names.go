package demodata

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

func pick(r *rand.Rand, words []string) string { return words[r.IntN(len(words))] }

func fields(s string) []string { return strings.Fields(s) }

// makeTitle makes the name of a track or album. Some have what a reader of CSV must get right.
func makeTitle(r *rand.Rand) string {
	a, b, c := pick(r, adjectives), pick(r, nouns), pick(r, nouns)
	switch r.IntN(24) {
	case 0:
		return a + " " + b + ", " + c
	case 1:
		return `Say "` + b + `"`
	case 2:
		return pick(r, foreignTitles)
	case 3:
		return pick(r, foreignTitles) + " (" + a + " Mix)"
	case 4:
		return b + " (feat. " + pick(r, givenNames) + ")"
	case 5, 6:
		return "The " + b + " and the " + c
	case 7, 8:
		return b + " of " + c
	case 9, 10:
		return b + " - Live"
	case 11, 12:
		return pick(r, verbs) + " Me " + a
	case 13, 14, 15:
		return pick(r, verbs) + " the " + b
	case 16, 17:
		return b
	}
	return a + " " + b
}

// makeArtists makes n different names.
func makeArtists(r *rand.Rand, n int) []string {
	artists := make([]string, 0, n)
	seen := make(map[string]int)
	for range n {
		var name string
		switch r.IntN(10) {
		case 0:
			name = pick(r, nouns) + ", " + pick(r, nouns) + " & " + pick(r, nouns)
		case 1:
			name = pick(r, foreignArtists)
		case 2, 3, 4:
			name = "The " + pick(r, adjectives) + " " + pick(r, nouns) + "s"
		case 5:
			name = "DJ " + pick(r, nouns)
		default:
			name = pick(r, givenNames) + " " + pick(r, familyNames)
		}
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s %s", name, roman(seen[name]))
		}
		artists = append(artists, name)
	}
	return artists
}

// roman is a number in Roman numerals; artists of one name are numbered by it.
func roman(n int) string {
	var b strings.Builder
	for _, d := range []struct {
		value int
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= d.value; n -= d.value {
			b.WriteString(d.text)
		}
	}
	return b.String()
}

var genres = fields(`acid-jazz acoustic afro-house afrobeats alt-country ambient americana anime baroque bebop
	big-band bluegrass blues bolero bossa-nova breakbeat britpop cajun celtic chamber chanson chillout choral city-pop
	classical cumbia dance dancehall dark-ambient deep-house disco doo-wop downtempo dream-pop drill drum-and-bass dub
	dubstep electro electropop emo enka eurodance fado field-recordings flamenco folk folk-rock footwork funk
	future-bass garage-rock glam-rock gospel grime grunge hard-rock hardcore heavy-metal highlife hip-hop house
	indie-folk indie-pop indie-rock industrial italo-disco j-pop jazz jungle k-pop klezmer krautrock latin lo-fi
	lullaby math-rock merengue metalcore minimal motown neo-soul new-wave noise nu-metal opera piano pop post-punk
	post-rock power-pop progressive-rock punk qawwali r-and-b rai reggae reggaeton rocksteady samba schlager shoegaze ska
	soul soundtrack spoken-word surf swing synthwave tango techno trance trap trip-hop world`)

var adjectives = fields(`Amber Ancient Blue Borrowed Bright Broken Burning Careless Clever Crooked Distant Early Electric
	Empty Endless Fading Foolish Gentle Golden Hidden Hollow Honest Idle Jagged Late Lazy Little Lonely Loud Lucky Midnight
	Modern Naked Northern Odd Open Pale Patient Perfect Plastic Quiet Reckless Restless Rusty Secret Silent Simple Slow
	Southern Strange Sudden Tender Tired Twisted Velvet Wandering Warm Wild Wicked Younger`)

var nouns = fields(`Airport Alphabet Anchor Answer Arcade Avenue Balcony Ballroom Bicycle Boulevard Carousel Cathedral
	Chapel Compass Corner Daughter Dragonfly Elevator Engine Evening Ferry Fever Firework Fountain Gallery Ghost Harbour
	Highway Hotel Hurricane Inkwell Journey Kitchen Kite Ladder Lighthouse Machine Magnet Marigold Mirror Monsoon Motel
	Mountain Neighbour Notebook Ocean Orchard Paradise Passenger Photograph Planet Postcard Promise Railway Rainbow River
	Rooftop Sailor Satellite Season Shadow Signal Sister Skyline Staircase Station Stranger Suitcase Sunday Telephone
	Theatre Thunder Tightrope Tomorrow Tunnel Typewriter Umbrella Valley Violin Waterfall Weekend Whisper Window Winter`)

var verbs = fields(`Believe Break Bring Call Carry Catch Chase Cross Drop Find Follow Forget Hold Keep Leave Lose Miss
	Move Remember Save Show Steal Take Teach Trust Wake Want Watch`)

var foreignTitles = []string{"Último Verão", "Mañana Será", "Déjà Demain", "Über den Dächern", "Frühling in Köln",
	"Små Øyer", "Łąka o świcie", "Něžný déšť", "Gece Yağmuru", "Πρωινό φως", "Белые ночи", "Тихая улица", "Зимний трамвай",
	"Ծաղիկներ", "מחר בבוקר", "صباح جديد", "نور الشمس", "सुबह की धूप", "நிலா", "ฝนตกอีกแล้ว", "Đêm mưa", "朝の電車", "雨のち晴れ",
	"さよならの海", "ネオン通り", "城市之光", "月亮河邊", "비 오는 거리", "새벽 기차", "ადრე დილით", "የማለዳ ጸሐይ", "☂ & ☀"}

var foreignArtists = []string{"Søstrene Åkerlund", "Łukasz Źrebiec", "Čestmír Dvořáček", "Ödön és a Hegyek", "İpek Çağlayan",
	"Τα Κύματα", "Ольга Мороз", "Ночной Трамвай", "נועה ברק", "ليلى الشامي", "अनन्या और साथी", "วงฟ้าใส", "Trần Mai Lan",
	"小林さくら", "青い電車", "王小雨", "夜行列車", "김하늘", "바다소년단", "ნინო და მეგობრები", "Zoë & the Café Noirs", "João da Praia"}

var givenNames = fields(`Aarav Abena Agnes Aiko Alma Amara Anders Anya Arjun Beatriz Bram Carmen Chidi Clara Dalia Darius
	Edda Eero Elena Emre Esther Fatima Felix Freya Gabriel Gita Hana Hugo Ida Igor Ines Ivy Jamal Joris Kaito Kira Lars Leila
	Liam Lucía Magnus Malik Mara Mateo Mila Minh Nadia Nils Noor Omar Oskar Paula Quinn Rafael Ravi Renée Rosa Sami Sanna
	Selma Tariq Théo Uma Vera Viktor Wanda Xiu Yara Zeynep Zoë`)

var familyNames = fields(`Abebe Achterberg Aldana Andersson Baptiste Barros Bauer Becker Bergström Castillo Chandra Chen
	Danso Delacroix Demir Eze Fernández Fischer Fontaine Garrido Grønn Haddad Halloran Hoang Ilves Ivanov Jansen Kamau
	Kaplan Keita Kovács Lindqvist Lombardi Mahmoud Marchetti Mensah Moreau Nakagawa Navarro Novák Okafor O'Hara Oliveira
	Ortega Papadakis Petrova Quiroga Rahman Ramírez Sandoval Schäfer Shapiro Silva Sørensen Takeda Tran Ueda Vargas
	Villanueva Wójcik Yamane Yilmaz Zielińska`)

var countries = []string{"Argentina", "Australia", "Austria", "Bolivia, Plurinational State of", "Brazil", "Canada", "Chile",
	"Congo, Democratic Republic of the", "Côte d'Ivoire", "Denmark", "Egypt", "Finland", "France", "Germany", "Ghana",
	"Greece", "India", "Ireland", "Japan", "Kenya", "Mexico", "Morocco", "Netherlands", "Nigeria", "Norway", "Portugal",
	"South Africa", "Spain", "Sweden", "Tanzania, United Republic of", "Türkiye", "United Kingdom", "United States", "Viet Nam"}
