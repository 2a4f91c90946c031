module mss

go 1.26.0
