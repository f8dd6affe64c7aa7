package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pow.do/services/wire/strictjson"
)

func TestCheck(t *testing.T) {
	good := []string{`{}`, `[]`, `null`, `"x"`, `{"a":{"a":[1,{"a":"b"}]},"b":"a"}`, `"\ud83d\ude00"`, ` {"a":1} `, `{"a":"b","b":"a"}`}
	for _, s := range good {
		if err := strictjson.Check([]byte(s), 8); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	bad := []string{
		``, `{`, `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"x":{"id":1,"iD":2}}`, "\"\xff\"", "\xef\xbb\xbf{}",
		`"\ud800"`, `"\udc00"`, `"\ud800\u0041"`, `"\ud83dx"`, `{} {}`, `{}x`, `NaN`, `[1,]`, `{"a" 1}`,
		strings.Repeat("[", 9) + strings.Repeat("]", 9), strings.Repeat("[", 1_000_000),
	}
	for _, s := range bad {
		if err := strictjson.Check([]byte(s), 8); err == nil {
			t.Errorf("%.40q was accepted", s)
		}
	}
}

func TestCheckIntegers(t *testing.T) {
	for s, ok := range map[string]bool{"0": true, "-7": true, "9007199254740992": true, "9007199254740993": false,
		"1.0": false, "1e3": false, "-0": false, "1e400": false, "12345678901234567890": false} {
		if err := strictjson.CheckIntegers([]byte(s), 4); (err == nil) != ok {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\ud83d\ude00"]}`))
	f.Add([]byte(`"\ud800`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if strictjson.Check(b, 16) == nil && !json.Valid(b) {
			t.Fatal("accepted what is not JSON")
		}
	})
}
