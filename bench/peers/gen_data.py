"""Makes the input that bench/peers/compare.py measures on: songs, users and plays as CSV, in the shape of the real ones.

    gen_data.py OUT --streams N [--files F] [--seed S]

Writes OUT/metadata/songs.csv, OUT/metadata/users.csv, OUT/streams/streamsNNN.csv, and last OUT/manifest.json, which
says what was made. The same arguments and numpy give the same bytes.
"""
import argparse
import json
import os
import sys
import time

import numpy as np

GENRES = """acoustic afrobeat alt-rock alternative ambient anime black-metal bluegrass blues brazil breakbeat
british cantopop chicago-house children chill classical club comedy country dance dancehall death-metal
deep-house detroit-techno disco disney drum-and-bass dub dubstep edm electro electronic emo folk forro french
funk garage german gospel goth grindcore groove grunge guitar happy hard-rock hardcore hardstyle heavy-metal
hip-hop honky-tonk house idm indian indie indie-pop industrial iranian j-dance j-idol j-pop j-rock jazz k-pop
kids latin latino malay mandopop metal metalcore minimal-techno mpb new-age opera pagode party piano pop
pop-film power-pop progressive-house psych-rock punk punk-rock r-n-b reggae reggaeton rock rock-n-roll
rockabilly romance sad salsa samba sertanejo show-tunes singer-songwriter ska sleep songwriter soul spanish
study swedish synth-pop tango techno trance trip-hop turkish world-music""".split()
assert len(GENRES) == 114 and GENRES == sorted(GENRES)

WORDS = """river glass night summer ghost engine velvet hollow paper crown winter signal desert mirror copper
island thunder garden silver bridge echo harbor candle ocean lantern shadow meadow stone morning static border
radio circle feather gravity horizon ivory jungle kingdom lemon marble neon orchid pepper quartz ribbon saffron
tiger umbrella valley window yellow zephyr amber breeze cinder drift ember fable glimmer hazel indigo""".split()
FOREIGN = ["canção", "corazón", "Größe", "été", "señorita", "Ærø", "żółty", "öğle", "naïve", "smörgås",
           "夜", "星の海", "花", "東京", "夏の終わり", "사랑", "바람", "봄날", "любовь", "дорога", "мир",
           "حب", "ليل", "प्रेम", "ความรัก", "αγάπη", "אהבה", "🎵", "“quotes”", "—"]
FIRST = """Ana Ben Chloé Dmitri Elif Femi Grace Hiro Ines Jonas Kwame Lucía Mei Noah Olga Priya Quentin Rosa
Søren Tariq Uma Viktor Wen Ximena Yusuf Zoë""".split()
LAST = """Adeyemi Brown Costa Dubois Eriksson Fischer García Hansen Ito Jensen Kowalski López Müller Nguyen
O'Neil Park Quispe Rossi Sato Tanaka Usman Varga Weber Xu Yılmaz Zhang""".split()
COUNTRIES = """Brazil Canada Denmark Egypt France Germany Ghana India Indonesia Italy Japan Kenya Mexico Norway
Peru Poland Portugal Spain Sweden Turkey""".split() + ["Korea, Republic of", "Côte d'Ivoire", "United States"]

SONG_HEADER = ["", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit",
               "danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness",
               "instrumentalness", "liveness", "valence", "tempo", "time_signature", "track_genre"]

# Share of the day's plays in each hour: low at night, a morning rise, an evening peak.
HOUR_WEIGHT = np.array([22, 14, 9, 6, 5, 7, 14, 28, 40, 42, 43, 46, 50, 50, 49, 51, 56, 64, 72, 78, 80, 74, 58, 38], float)

B62 = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)
CHUNK = 1 << 18
TABLE_BITS = 22


def rng_of(seed, *path):
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *path])))


def track_ids(rng, n):
    """n distinct ids of 22 base-62 characters, as an (n, 22) byte matrix."""
    ids = B62[rng.integers(0, 62, (n, 22), dtype=np.uint8)]
    assert len(np.unique(np.ascontiguousarray(ids).view("V22"))) == n
    return np.ascontiguousarray(ids)


def zipf_table(rng, n, s, shift):
    """A table of 2**TABLE_BITS item numbers: a uniform draw from it is a Zipf-like draw of the n items.
    Items are in shuffled order, so an item's number says nothing about how often it is drawn."""
    w = 1.0 / (np.arange(n) + shift) ** s
    cum = np.cumsum(w)
    at = (np.arange(1 << TABLE_BITS) + 0.5) / (1 << TABLE_BITS) * cum[-1]
    return rng.permutation(n).astype(np.uint32)[np.searchsorted(cum, at)]


def quote(s):
    if '"' in s:
        return '"' + s.replace('"', '""') + '"'
    if "," in s or "\n" in s or "\r" in s:
        return '"' + s + '"'
    return s


def title(rng_ints, k, unusual):
    """A title of k words; unusual picks punctuation and scripts that a CSV reader must get right."""
    words = [WORDS[i % len(WORDS)].capitalize() for i in rng_ints[:k]]
    u = unusual % 100
    if u < 8:
        words[0] = words[0] + ","                                  # comma: the field is quoted
    elif u < 12:
        words[-1] = '"' + words[-1] + '"'                          # quotes: quoted and doubled
    elif u < 14:
        words = ['12"', "Mix", "(" + words[0] + ',', words[-1] + ")"]
    elif u < 30:
        words[-1] = FOREIGN[rng_ints[-1] % len(FOREIGN)]
    elif u < 33:
        words.append("- From \"" + words[0] + "\"")
    elif u < 36:
        words.append("(feat. " + FOREIGN[rng_ints[0] % len(FOREIGN)] + " & " + words[0] + ")")
    return " ".join(words)


def make_songs(path, seed, n_tracks, n_rows, ids):
    rng = rng_of(seed, 1)
    dups = min(450, n_rows // 250)
    near = min(20, n_rows // 5000)
    n_pairs = n_rows - dups - near              # distinct (track, genre)
    extra = n_pairs - n_tracks
    if extra < 0:
        sys.exit(f"--songs-rows {n_rows} is too few for --tracks {n_tracks}: at least {n_tracks + dups + near}")
    # Artists: a third as many names as tracks.
    n_art = max(1, n_tracks // 3)
    ints = rng.integers(0, 1 << 30, (n_art, 4)).tolist()
    artists, seen = [], set()
    for i, r in enumerate(ints):
        name = title(r, 1 + r[0] % 2, r[1] // 7)
        if name in seen:
            name = f"{name} {i}"
        seen.add(name)
        artists.append(name.replace(";", ""))
    art_w = 1.0 / (np.arange(n_art) + 30) ** 0.7
    art_cum = np.cumsum(art_w)
    who = np.searchsorted(art_cum, rng.random((n_tracks, 4)) * art_cum[-1]).tolist()
    n_who = rng.choice([1, 2, 3, 4], n_tracks, p=[0.74, 0.19, 0.05, 0.02]).tolist()
    ints = rng.integers(0, 1 << 30, (n_tracks, 8)).tolist()
    pop = np.clip(rng.normal(34, 22, n_tracks), 0, 100).astype(int)
    dur = np.clip(rng.lognormal(12.28, 0.38, n_tracks), 8000, 5_300_000).astype(int)
    unit = np.round(rng.random((n_tracks, 7)), 4).tolist()
    loud = np.round(-rng.gamma(3.0, 2.7, n_tracks), 3).tolist()
    tempo = np.round(rng.normal(122, 29, n_tracks).clip(0, 243), 3).tolist()
    instr = rng.random(n_tracks) ** 9
    small = rng.integers(0, 1 << 30, (n_tracks, 4)).tolist()
    hi = [b.decode() for b in np.ascontiguousarray(ids).view("S22").ravel()]
    head, tail = [], []
    # a few texts with outer spaces, as in the public set: a reader must not trim them
    spaced = {(k * n_tracks) // 8 + 1: k % 4 > 0 for k in range(8)} if n_tracks > 100 else {}
    nameless = n_tracks // 2                      # one track without artists, album and name, as in the public set
    for t in range(n_tracks):
        r = ints[t]
        name = title(r[:4], 1 + r[4] % 4, r[5])
        album = name if r[6] % 5 == 0 else title(r[3:7], 1 + r[7] % 3, r[7] // 11)
        arts = ";".join(dict.fromkeys(artists[a] for a in who[t][:n_who[t]]))
        if t == nameless:
            arts = album = name = ""
        elif t in spaced:
            arts, name = (arts + " ", name) if spaced[t] else (arts, " " + name)
        head.append((hi[t], arts, album, name))
        u, s = unit[t], small[t]
        tail.append(",".join([
            "True" if s[0] % 12 == 0 else "False", repr(u[0]), repr(u[1]), str(s[1] % 12), repr(loud[t]),
            str(s[2] & 1), repr(u[2]), repr(u[3]), "%.3g" % instr[t], repr(u[4]), repr(u[5]), repr(tempo[t]),
            str((4, 4, 4, 4, 4, 4, 4, 3, 5, 1)[s[3] % 10])]))
    # Genres: every track has one; a fifth of the tracks share the extra pairs.
    G = len(GENRES)
    first_genre = rng.integers(0, G, n_tracks)
    multi = rng.permutation(n_tracks)[:max(1, n_tracks // 5)]
    pairs = set()
    tr, ge, po, du = list(range(n_tracks)), first_genre.tolist(), pop.tolist(), dur.tolist()
    used = {t: {g} for t, g in zip(multi.tolist(), first_genre[multi].tolist())}
    order = np.concatenate([multi, rng.choice(multi, max(0, extra - len(multi)))])[:extra].tolist()
    pick = rng.integers(0, G, extra).tolist()
    shift = rng.integers(0, 100, extra).tolist()
    for t, g, sh in zip(order, pick, shift):
        while g in used[t]:
            g = (g + 1) % G
            if len(used[t]) == G:
                sys.exit("too many --songs-rows for --tracks: a track would need more genres than there are")
        used[t].add(g)
        tr.append(t)
        ge.append(g)
        po.append(max(0, min(100, pop[t].item() + (sh if sh < 3 else 0))))   # 2% differ a little between genres
        du.append(dur[t].item())
    # Near duplicates: same track and genre, another popularity or duration. Exact duplicates: all the same.
    for k, i in enumerate(rng.choice(n_pairs, near, replace=False).tolist()):
        tr.append(tr[i]); ge.append(ge[i])
        po.append((po[i] + 1) % 101 if k % 2 else po[i])
        du.append(du[i] if k % 2 else du[i] + 1)
    for i in rng.choice(n_pairs, dups, replace=False).tolist():
        tr.append(tr[i]); ge.append(ge[i]); po.append(po[i]); du.append(du[i])
    ge_a = np.array(ge)
    row_order = np.lexsort((rng.random(len(tr)), ge_a)).tolist()    # in blocks by genre, as in the public set
    buf = [",".join(SONG_HEADER)]
    for i, k in enumerate(row_order):
        tid, arts, album, name = head[tr[k]]
        buf.append(f"{i},{tid},{quote(arts)},{quote(album)},{quote(name)},{po[k]},{du[k]},{tail[tr[k]]},{GENRES[ge[k]]}")
    buf.append("")
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("\n".join(buf))
    return {"rows": len(tr), "distinct_tracks": n_tracks, "tracks_in_several_genres": int(len(set(order))),
            "exact_duplicates": dups, "near_duplicates": near, "tracks_without_name": 1, "tracks_with_outer_spaces": len(spaced)}


def make_users(path, seed, n_users):
    rng = rng_of(seed, 2)
    order = rng.permutation(n_users) + 1
    a = rng.integers(0, 1 << 30, (n_users, 3)).tolist()
    age = rng.integers(13, 80, n_users).tolist()
    day = (np.datetime64("2024-01-01") + rng.integers(0, 150, n_users)).astype(str).tolist()
    buf = ["user_id,user_name,user_age,user_country,created_at"]
    for u, r, g, d in zip(order.tolist(), a, age, day):
        name = FIRST[r[0] % len(FIRST)] + " " + LAST[r[1] % len(LAST)]
        if r[0] % 40 == 0:
            name = f"{LAST[r[1] % len(LAST)]}, {FIRST[r[0] % len(FIRST)]} \"{WORDS[r[2] % len(WORDS)]}\""
        buf.append(f"{u},{quote(name)},{g},{quote(COUNTRIES[r[2] % len(COUNTRIES)])},{d}")
    buf.append("")
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("\n".join(buf))
    return {"rows": n_users}


class Streams:
    def __init__(self, a, ids):
        self.a = a
        rng = rng_of(a.seed, 3)
        self.n_unk_t = max(1, a.tracks // 20)
        self.n_unk_u = max(1, a.users // 20)
        self.tid = np.concatenate([ids, track_ids(rng_of(a.seed, 4), self.n_unk_t)]).view("V22").ravel()
        top = a.users + self.n_unk_u
        self.uw = len(str(top))
        num = np.array([str(i).rjust(self.uw, "\0") for i in range(1, top + 1)], f"S{self.uw}")
        # numpy strips trailing, not leading, NULs: the padding stays in front and is dropped when written
        self.uid = num.view(f"V{self.uw}")
        self.t_table = zipf_table(rng, a.tracks, 0.9, 20)
        self.u_table = zipf_table(rng, a.users, 0.55, 50)
        base = np.datetime64(a.start, "D")
        days = [str(base + d) for d in range(a.days)]
        self.day_w = np.array([1.15 if (base + d).astype(object).weekday() >= 4 else 1.0 for d in range(a.days)])
        self.dh = np.array([f"{d} {h:02d}:" for d in days for h in range(24)], "S14").view("V14")
        self.ms = np.array([f"{m:02d}:{s:02d}" for m in range(60) for s in range(60)], "S5").view("V5")
        hcum = np.cumsum(HOUR_WEIGHT)
        self.h_table = np.searchsorted(hcum, (np.arange(1 << 16) + 0.5) / (1 << 16) * hcum[-1]).astype(np.uint16)

    def chunk(self, rng, n, d0, d1):
        a, uw = self.a, self.uw
        t = self.t_table[rng.integers(0, 1 << TABLE_BITS, n, dtype=np.uint32)]
        u = self.u_table[rng.integers(0, 1 << TABLE_BITS, n, dtype=np.uint32)]
        unk = np.flatnonzero(rng.random(n, np.float32) < a.unknown_tracks)
        t[unk] = a.tracks + rng.integers(0, self.n_unk_t, len(unk), dtype=np.uint32)
        unk = np.flatnonzero(rng.random(n, np.float32) < a.unknown_users)
        u[unk] = a.users + rng.integers(0, self.n_unk_u, len(unk), dtype=np.uint32)
        w = self.day_w[d0:d1]
        if d1 - d0 > 1:
            cum = np.cumsum(w)
            tab = np.searchsorted(cum, (np.arange(1 << 12) + 0.5) / (1 << 12) * cum[-1]).astype(np.uint16)
            d = tab[rng.integers(0, 1 << 12, n, dtype=np.uint16)]
        else:
            d = np.zeros(n, np.uint16)
        h = self.h_table[rng.integers(0, 1 << 16, n, dtype=np.uint16)]
        dh = (d + d0) * np.uint16(24) + h
        ms = rng.integers(0, 3600, n, dtype=np.uint16)
        if a.order == "time":
            o = np.argsort(dh.astype(np.uint32) * 3600 + ms, kind="stable")
            t, u, dh, ms = t[o], u[o], dh[o], ms[o]
        rec = np.empty(n, np.dtype([("u", f"V{uw}"), ("c1", "u1"), ("t", "V22"), ("c2", "u1"), ("dh", "V14"),
                                    ("ms", "V5"), ("nl", "u1")]))
        rec["u"] = self.uid[u]
        rec["t"] = self.tid[t]
        rec["dh"] = self.dh[dh]
        rec["ms"] = self.ms[ms]
        rec["c1"] = rec["c2"] = 44
        rec["nl"] = 10
        flat = rec.view(np.uint8)
        return flat[flat != 0]

    def write_file(self, path, index, n):
        a = self.a
        d0 = index * a.days // a.files
        d1 = max(d0 + 1, (index + 1) * a.days // a.files)
        with open(path, "wb", buffering=0) as f:
            f.write(b"user_id,track_id,listen_time\n")
            done, c = 0, 0
            while done < n:
                k = min(CHUNK, n - done)
                f.write(self.chunk(rng_of(a.seed, 5, index, c), k, d0, d1))
                done += k
                c += 1
        return {"file": "streams/" + os.path.basename(path), "lines": n, "bytes": os.path.getsize(path),
                "first_day": d0, "days": d1 - d0}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--streams", type=int, required=True, help="play lines in all the files together")
    p.add_argument("--files", type=int, help="stream files (default: one per million lines, at least 3)")
    p.add_argument("--tracks", type=int, default=90_000)
    p.add_argument("--songs-rows", type=int, default=114_000)
    p.add_argument("--users", type=int, default=50_000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--start", default="2024-06-01")
    p.add_argument("--days", type=int, default=30)
    p.add_argument("--order", choices=["random", "time"], default="random",
                   help="order of lines in a file; 'time' sorts within each block of 262,144 lines")
    p.add_argument("--unknown-tracks", type=float, default=0.01)
    p.add_argument("--unknown-users", type=float, default=0.005)
    a = p.parse_args()
    a.files = a.files or max(3, -(-a.streams // 1_000_000))
    t0 = time.time()
    for d in ("metadata", "streams"):
        os.makedirs(os.path.join(a.out, d), exist_ok=True)
    for f in os.listdir(os.path.join(a.out, "streams")):
        if f.startswith("streams") and f.endswith(".csv"):
            os.unlink(os.path.join(a.out, "streams", f))
    ids = track_ids(rng_of(a.seed, 0), a.tracks)
    man = {"args": {k: v for k, v in sorted(vars(a).items()) if k != "out"}, "numpy": np.__version__}
    man["songs"] = make_songs(os.path.join(a.out, "metadata", "songs.csv"), a.seed, a.tracks, a.songs_rows, ids)
    man["users"] = make_users(os.path.join(a.out, "metadata", "users.csv"), a.seed, a.users)
    st = Streams(a, ids)
    wid = max(3, len(str(a.files)))
    files = []
    for i in range(a.files):
        n = a.streams * (i + 1) // a.files - a.streams * i // a.files
        files.append(st.write_file(os.path.join(a.out, "streams", f"streams{i + 1:0{wid}d}.csv"), i, n))
    man["streams"] = {"lines": a.streams, "bytes": sum(f["bytes"] for f in files), "files": files}
    with open(os.path.join(a.out, "manifest.json"), "w") as f:
        json.dump(man, f, indent=1, sort_keys=True)
        f.write("\n")
    print(f"{a.streams} plays in {a.files} files, {man['streams']['bytes'] / 1e6:.1f} MB, {time.time() - t0:.1f} s")


if __name__ == "__main__":
    main()
