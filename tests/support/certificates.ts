/**
 * A certificate for localhost and 127.0.0.1, its key, and the authority that
 * signed it. They are for tests only, and valid for a hundred years.
 *
 * @module
 */

/** The certificate authority. */
export const ca = `-----BEGIN CERTIFICATE-----
MIIBhDCCASugAwIBAgIUFtZnGL8IOvzmzAGKNhh8rpaLnn8wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZWNobyB0ZXN0IENBMCAXDTI2MTEyMzA4MzMwOVoYDzIxMjYx
MDMwMDgzMzA5WjAXMRUwEwYDVQQDDAxlY2hvIHRlc3QgQ0EwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAARqU0LUS4HsubZDPQLeDpD2KD1JlyZKbkV8C/tu1sZjos7p
QNDVSBn0nqPLbwwXMePePzVugK5tmQ5aFhcvOuzgo1MwUTAdBgNVHQ4EFgQUkDK7
UGeM1if/BKck0KreixiZYdowHwYDVR0jBBgwFoAUkDK7UGeM1if/BKck0KreixiZ
YdowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAfI2mv/M4+/C2d
q/XFJoaFiFIMgI09Fx/pfXeMazbDSwIgLIEZiE+AyPLJfNXgYkoX9otfleQXvsqH
UebodpUwrHU=
-----END CERTIFICATE-----
`;

/** Another authority, which did not sign the certificate. */
export const otherCa = `-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUUaKIMHL3CQgc9J/M+13LFvRJgfcwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPYW5vdGhlciB0ZXN0IENBMCAXDTI2MTEyMzE5MzMyMVoYDzIx
MjYxMDMwMTkzMzIxWjAaMRgwFgYDVQQDDA9hbm90aGVyIHRlc3QgQ0EwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASz2F8RlkxZYGcWlubSLfievEty+RWSQs870RKh
0P1d87EZjSXu0rQQDd7bQqnnxnyUyfbSdmE834dMo8T5piZQo1MwUTAdBgNVHQ4E
FgQUwP0OfD0RWJYouFvfuIIy87Tglf0wHwYDVR0jBBgwFoAUwP0OfD0RWJYouFvf
uIIy87Tglf0wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA0WfX
0TFi63HgSUSRuhzQoG/+paavMtGx3oyn2c0ryz4CIQDqi6Urd9td1wg1EAz3cdkp
CZIxv+SmCAcMgUpy4sopyw==
-----END CERTIFICATE-----
`;

/** The certificate. */
export const cert = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT6gAwIBAgIUPmrCFPXyZCCQKjyTPsUezYR0YBkwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZWNobyB0ZXN0IENBMCAXDTI2MTEyMzA4MzMxMFoYDzIxMjYx
MDMwMDgzMzEwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAASQNp3qCHCd4fqtViQIZ+X1UZ8wXe6NASXI27jxw6tv4C8VEgly
jXbW0M4qkjFao2LmOsqqZNj0A0G6jR7QGzD1o2kwZzAaBgNVHREEEzARgglsb2Nh
bGhvc3SHBH8AAAEwCQYDVR0TBAIwADAdBgNVHQ4EFgQU+KWJcLID2v1BP4e/Mbda
oQHMKN0wHwYDVR0jBBgwFoAUkDK7UGeM1if/BKck0KreixiZYdowCgYIKoZIzj0E
AwIDSQAwRgIhAKilpiN2xJG+o18EHsDBaAFnJZ36jlALi1wSNEQE+LScAiEA2zCb
+KSI67Bh87eJSaIc2twTImKkY7F9ciyIuMYpTF0=
-----END CERTIFICATE-----
`;

/** The private key of the certificate. It is public, here. */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIIXOr/1eybp6xONY
BmGVP8AHd6T8IANlJYIGXIM4raihRANCAASQNp3qCHCd4fqtViQIZ+X1UZ8wXe6N
ASXI27jxw6tv4C8VEglyjXbW0M4qkjFao2LmOsqqZNj0A0G6jR7QGzD1
-----END PRIVATE KEY-----
`;

/** A certificate for localhost that has expired, with its key and authority. */
export const expired = {
  ca: `-----BEGIN CERTIFICATE-----
MIIBizCCATGgAwIBAgIUFDHz8xdiLg17T4TctA24WuTebREwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZXhwaXJlZCB0ZXN0IENBMCAXDTI2MTEyNTE4Mjg1NFoYDzIx
MjYxMTAxMTgyODU0WjAaMRgwFgYDVQQDDA9leHBpcmVkIHRlc3QgQ0EwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASwXyiF87KByJgK6YnQOvaQFm8cAyvOgoUqnu8J
drqDGXBNrkaQeu4x2ofYpYtG+4RXB6AQhM5liYfpo6yYDwMRo1MwUTAdBgNVHQ4E
FgQUqXBbDSGt7JohVDLFKK8uwd1TFv8wHwYDVR0jBBgwFoAUqXBbDSGt7JohVDLF
KK8uwd1TFv8wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA1zBX
XjyEidkf0Jb1zSCEIicNfI4Iy5j4/3mvqnbt+A0CIBa5vaodc0HlcTn3V+EP2mHl
m8AVf27NoNNcPIhBejSn
-----END CERTIFICATE-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBhzCCASygAwIBAgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9leHBpcmVk
IHRlc3QgQ0EwHhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAUMRIwEAYD
VQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQGD44JD3wU
iJgOOncSXIbalQy/t62rdu+zC1H78uY1WbP3HSrz/9/xCYHNy/GwWWRmPGzELH18
d1iNwSizfW9co2kwZzAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCQYDVR0T
BAIwADAdBgNVHQ4EFgQUKClLX4YhfXZEHBxSGUJeVWV/G7swHwYDVR0jBBgwFoAU
qXBbDSGt7JohVDLFKK8uwd1TFv8wCgYIKoZIzj0EAwIDSQAwRgIhAMpkgbROXpEH
CtfJ4/gNjfJDLV38l1yRArsZTU9zbAB3AiEA8w8HiyUsVFKgW9K9j6Uf8HiMZHik
FzqvZ9A8+YnZ2I8=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTAuCFr7SuO03oAUu
n9jUl800hOySFNwAFQ0VZLg8oOKhRANCAAQGD44JD3wUiJgOOncSXIbalQy/t62r
du+zC1H78uY1WbP3HSrz/9/xCYHNy/GwWWRmPGzELH18d1iNwSizfW9c
-----END PRIVATE KEY-----
`,
};
/** A folder with these as files, `cert.pem` and so on, which is removed in the end. */
export async function certificateFiles(): Promise<
  { folder: string } & AsyncDisposable
> {
  const folder = await Deno.makeTempDir();
  for (const [name, pem] of Object.entries({ ca, otherCa, cert, key })) {
    await Deno.writeTextFile(`${folder}/${name}.pem`, pem);
  }
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
