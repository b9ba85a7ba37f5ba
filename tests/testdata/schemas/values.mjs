// The values that all schemas are held against, as JSON texts.
export const strings = [
  "", "a", "ab", "abc", "A", "Abc", "ABC", "hello world", " padded ", "0", "1", "-1", "-0", "1.5", ".5", "-0.0", "007", "1e3", "12345", "é", "日本", "🙂", "🙂🙂", "👍🏽",
  "👩‍👩‍👧", "❤️", "🇩🇪", "\u00a0", "\u000b", "\ufeff", "\u3000x", "a\nb", "foo", "foobar", "prefix-x", "x-suffix", "true", "null", "user@example.com", "first.last+tag@sub.example.org",
  "a@b", "a@localhost", ".a@b.de", "a..b@c.de", "é@example.com", "a@b.c", "user@ex_ample.com", "http://example.com", "https://example.com/a?b=c#d", "http://exämple.com/ä ö", "HTTP://EXAMPLE.COM", "mailto:a@b.de",
  "ftp://x", "http://", "//example.com", "/path", "urn:isbn:1", "not a url", "http:example.com", "127.0.0.1", "256.1.1.1", "01.2.3.4", "1.2.3", "+1.2.3.4", "::1", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1%eth0", "1::2::3", "10.0.0.0/8",
  "2001:db8::/32", "2024-02-29", "2023-02-29", "2023-02-30", "2024-13-01", "2024-1-1", "20240102", "2024-W05", "2024-W54", "12:30", "12:30:45", "12:30:45.123", "24:00", "12:60", "12:30:45Z", "12:30:45+01:00",
  "2024-01-02T03:04", "2024-01-02T03:04:05", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05+01:00", "2024-01-02 03:04:05Z", "2024-01-02T03:04:05+0100", "2024-01-02t03:04:05z", "2023-02-30T00:00:00Z", "P1Y2M3DT4H5M6S", "P4W", "PT", "P1YT1H",
  "123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-42D3-A456-426614174000", "00000000-0000-0000-0000-000000000000", "not-a-uuid", "aGVsbG8=", "aGVsbG8", "aGk", "YQ==", "_-8", "deadbeef", "0xff", "#fff", "#ff00ff", "0o17", "DE89370400440532013000",
  "DEUTDEFF", "DEUTDEFF500", "cjld2cjxh0000qzrmn831i7rn", "tz4a98xxat96iws9zmbrgj3a", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "V1StGXR8_Z5jdHi6B-myT", "1srOrx2ZWZBpBUvZwXKQmoEYga2", "9m4e2mr0ui3e8a215n4g", "+4915112345678", "00:1A:2B:3C:4D:5E", "4111111111111111", "example.com", "ab--cd.example", "xn--nxasmq6b.example",
  "my-slug_1", "1.2.3", "1.2.3-beta.1+x", "{\"a\":1}", "[a-z]", "(", "\\-", "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", "€", "a".repeat(64), "x".repeat(300), "EUR", "\u0000", "\ufffd",
];

const numbers = [
  "0", "-0", "-0.0", "1", "-1", "2", "3", "5", "10", "42", "100", "101", "0.1", "0.2", "0.3", "0.5", "1.5", "2.5", "-1.5", "99.99", "1e3", "1E2", "1.0", "255", "256", "65535", "2147483647", "2147483648", "-2147483649", "4294967295", "4294967296",
  "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740992", "1e21", "1e300", "1e-7", "5e-324", "1e-350", "1.00000000000000000001", "99.99999999999999999999999", "0.1000000000000000055", "3.4028234663852886e38", "1e309", "-1e400",
];

const others = [
  "null", "true", "false", "[]", "{}", "[1]", '["a"]', '["a",1]', '["a",1,true]', "[1,2,3]", "[1,1]", '["a","a"]', "[null]", "[[]]", '[{"a":1},{"a":1}]', "[1,1.0]", '{"a":1}', '{"a":"x"}', '{"a":null}', '{"a":1,"b":2}', '{"b":"x"}', '{"a":"x","b":1}', '{"a":"x","b":1,"c":true}', '{"a":{}}', '{"a":{"b":1}}', '{"a":{"b":"x"}}',
  '{"kind":"a","a":1}', '{"kind":"b","b":"x"}', '{"kind":"c"}', '{"kind":"a","b":"x"}', '{"a":[1,2]}', '{"a":["x"]}', '{"x1":1,"x2":2}', '{"x1":"a"}', '{"1":1}', '{"A":1}', '{"":1}', '{"next":{"next":null}}', '{"value":1,"next":{"value":2,"next":null}}', '{"value":"x","next":null}', '{"value":1,"children":[{"value":2,"children":[]}]}',
  '{"toString":1}', '{"constructor":1,"a":1}', '{"a":1,"a":"x"}', '{"\\u0061":"x"}', '{"__proto__":{"a":1}}', '{"__proto__":1,"a":1}', '"\\ud83d"', '{"\\ud83d":1}', '["\\ude42"]', '{"a":"\\ud83d\\ude42"}', '{"name":"Ann","age":3}', '{"name":"","age":-1}', '{"name":"Ann","age":"3"}', '{"name":"Ann","age":3,"extra":true}', '{"$runnerFile":"File","id":"F1","meta":{}}', '{"$runnerFile":"File"}', '{"__type":"Date","value":0}',
];

export const texts = [...strings.map((s) => JSON.stringify(s)), ...numbers, ...others];

// In places of an object or a list there are fewer.
export const inner = [...strings.slice(0, 12), "user@example.com", "2024-01-02T03:04", "🙂🙂"].map((s) => JSON.stringify(s)).concat(numbers.filter((_, i) => i % 3 === 0), "null", "true", "[]", "{}", "[1]", '["a"]', '{"a":1}', '{"a":"x"}');

// wrap puts a value where a composite schema has it.
export const wraps = {
  object: (text) => `{"a":${text}}`,
  list: (text) => `[${text}]`,
  twice: (text) => `[${text},${text}]`,
  record: (text) => `{"x1":${text},"y":${text}}`,
};
