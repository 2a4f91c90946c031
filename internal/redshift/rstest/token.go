package rstest

import "strings"

// token is a piece of SQL: a word in upper case, a quoted text or name with its quotes, a number, or one other character.
type token string

func (t token) isText() bool { return strings.HasPrefix(string(t), "'") }

// isName tells of a word or a quoted name.
func (t token) isName() bool { return t != "" && (isLetter(t[0]) || t[0] == '"') }

// text is what a quoted text says.
func (t token) text() string {
	s := string(t)
	if !t.isText() || len(s) < 2 {
		return ""
	}
	return strings.ReplaceAll(strings.ReplaceAll(s[1:len(s)-1], "''", "'"), `\\`, `\`)
}

// split cuts SQL into its statements; empty ones are left out.
func split(sql string) (statements [][]token) {
	var one []token
	for _, t := range tokens(sql) {
		if t != ";" {
			one = append(one, t)
			continue
		}
		if len(one) > 0 {
			statements = append(statements, one)
		}
		one = nil
	}
	if len(one) > 0 {
		statements = append(statements, one)
	}
	return statements
}

// tokens cuts SQL into its tokens, without spaces and comments.
func tokens(sql string) (list []token) {
	for at := 0; at < len(sql); {
		c := sql[at]
		end := at + 1
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			at = end
			continue
		case strings.HasPrefix(sql[at:], "--"):
			at += until(sql[at:], "\n")
			continue
		case strings.HasPrefix(sql[at:], "/*"):
			at += until(sql[at:], "*/")
			continue
		case c == '\'' || c == '"':
			end = at + quoted(sql[at:])
		case isLetter(c) || c >= '0' && c <= '9':
			for end < len(sql) && (isLetter(sql[end]) || sql[end] >= '0' && sql[end] <= '9' || sql[end] == '$') {
				end++
			}
		}
		t := token(sql[at:end])
		if isLetter(c) {
			t = token(strings.ToUpper(sql[at:end]))
		}
		list = append(list, t)
		at = end
	}
	return list
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

// until is the length of s up to and with end.
func until(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

// quoted is the length of the text or name that s begins with. A doubled quote is part of it, as two that touch are to us.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '\'':
			i++
		case s[i] == s[0]:
			if i+1 == len(s) || s[i+1] != s[0] {
				return i + 1
			}
			i++
		}
	}
	return len(s)
}
