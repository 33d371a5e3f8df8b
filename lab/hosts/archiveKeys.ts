/**
 * The keys with which Debian signs its releases, by release, as gpgv reads them and then in Base64. The machine may have none of them or, as an older
 * distribution than the release, none that is still in use. To compare them: https://ftp-master.debian.org/keys.html
 */
export const ARCHIVE_KEYS = {
    // Debian Stable Release Key (12/bookworm), until 2031-01-21.
    bookworm: {
        fingerprint: "4D64FEC119C2029067D6E791F8D2585B8783D481",
        key: [
            "mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzrcrf6AEq0SURlYmlhbiBTdGFibGUgUmVsZWFzZSBLZXkgKDEyL2Jvb2t3",
            "b3JtKSA8ZGViaWFuLXJlbGVhc2VAbGlzdHMuZGViaWFuLm9yZz6IlgQTFggAPhYhBE1k/sEZwgKQZ9bnkfjSWFuHg9SBBQJjzrlTAhsDBQkPCZwABQsJCAcC",
            "BhUKCQgLAgQWAgMBAh4BAheAAAoJEPjSWFuHg9SBSgwBAP9qpeO5z1s5m4D4z3TcqDo1wez6DNya27QWWoG/4oBsAQCEN8Z00DXagPHbwrvsY2t9BCsT+Pgn",
            "Sn9biobwX7bDDg==",
        ].join(""),
    },
    // Debian Stable Release Key (13/trixie), until 2033-03-22.
    trixie: {
        fingerprint: "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
        key: [
            "mDMEZ+Gq1RYJKwYBBAHaRw8BAQdARlh1OX84KPJRedAP/M7WxPFEthWypAp8nvedFhqaX0q0R0RlYmlhbiBTdGFibGUgUmVsZWFzZSBLZXkgKDEzL3RyaXhp",
            "ZSkgPGRlYmlhbi1yZWxlYXNlQGxpc3RzLmRlYmlhbi5vcmc+iJYEExYIAD4WIQRBWH99uMd0vM8TFBZ2L2egssOd5AUCZ+Gq1QIbAwUJDwmcAAULCQgHAgYV",
            "CgkICwIEFgIDAQIeAQIXgAAKCRB2L2egssOd5DjVAP49S/e9VAtn9ip2DXj5zx87MpUXnLHAhT/LsJ7JodnKoQEA8murEqdcC0pPsAA6Gmev/lz0MWUyfe5Y",
            "6DMB6t16FQs=",
        ].join(""),
    },
};

/** Releases of Debian that an image can be of. */
export type Release = keyof typeof ARCHIVE_KEYS;
