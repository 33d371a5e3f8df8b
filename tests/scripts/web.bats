#!/usr/bin/env bats
# web/node on stand-ins for hosts of both families, and its configuration and web/release with a real nginx on loopback.

bats_require_minimum_version 1.5.0
load helper
load stubs

setup_file() {
    local name
    for name in site other; do
        openssl ecparam -name prime256v1 -genkey -noout -out "$BATS_FILE_TMPDIR/$name.key"
    done
    for name in site renewed; do
        openssl req -x509 -key "$BATS_FILE_TMPDIR/site.key" -subj "/CN=$name" -days 2 -out "$BATS_FILE_TMPDIR/$name.crt"
    done
}

setup() {
    stub_host debian-12
    web_host
}

web_host() {
    mkdir -p "$host/etc/nginx/conf.d" "$host/etc/nginx/sites-enabled"
    export NGINX_ETC=$host/etc/nginx NGINX_RUN=$host/run
    www=$host/srv/www
    port=18480
    # shellcheck disable=SC2016
    {
        stub nginx 'if [[ -e $HOST/nginx-refuses ]]; then echo "nginx: [emerg] unknown directive" >&2; exit 1; fi'
        stub curl 'if [[ "$*" == *http_code* ]]; then printf 200; else exec /usr/bin/curl "$@"; fi'
        stub id 'echo root'
    }
}

teardown() {
    [[ ! -e $BATS_TEST_TMPDIR/application.pid ]] || kill "$(<"$BATS_TEST_TMPDIR/application.pid")"
    [[ ! -e $BATS_TEST_TMPDIR/nginx.pid ]] || kill -QUIT "$(cat "$BATS_TEST_TMPDIR/nginx.pid")"
}

# node [PARAM=value…]
node() {
    run --separate-stderr step web/node NAME=site DIRECTORY="$www" SHARED=false PORT=$port HEALTH_PATH=/healthz REQUESTS_PER_SECOND=50 \
        BURST=100 CONNECTIONS=100 BODY_SIZE=10m STATUS_PORT=18481 TRUSTED_PROXIES=127.0.0.0/8 \
        HEADERS=$'X-Content-Type-Options: nosniff\nContent-Security-Policy: default-src '"'self'" "$@" \
        -- CERTIFICATE="$(<"$BATS_FILE_TMPDIR/${certificate:-site}.crt")" PRIVATE_KEY="$(<"$BATS_FILE_TMPDIR/${key:-site}.key")"
    printf '%s\n' "$stderr" "$output"
}

@test "restarts nginx when a newer package has replaced it" {
    node
    stub_outdated
    node
    [[ $(field changed) == '["service nginx restarted"]' ]]
}

# release NAME [PARAM=value…]
release() {
    local name=$1
    shift
    run --separate-stderr step web/release RELEASE="$name" DIRECTORY="$www" SHARED=false PORT=$port HEALTH_PATH=/healthz CHECK_PATH=/ KEEP=2 \
        MEMBERS=web-1=127.0.0.1 "$@"
    printf '%s\n' "$stderr" "$output"
}

# A real nginx that serves what web/node has written.
serve() {
    node "$@"
    rm "$bin/curl" "$bin/nginx"
    cat >"$BATS_TEST_TMPDIR/nginx.conf" <<EOF
user root;
pid $BATS_TEST_TMPDIR/nginx.pid;
error_log $BATS_TEST_TMPDIR/error.log;
worker_processes 1;
events {}
http {
    access_log off;
    client_body_temp_path $BATS_TEST_TMPDIR/body;
    proxy_temp_path $BATS_TEST_TMPDIR/proxy;
    fastcgi_temp_path $BATS_TEST_TMPDIR/fastcgi;
    uwsgi_temp_path $BATS_TEST_TMPDIR/uwsgi;
    scgi_temp_path $BATS_TEST_TMPDIR/scgi;
    include $NGINX_ETC/conf.d/*.conf;
}
EOF
    /usr/sbin/nginx -c "$BATS_TEST_TMPDIR/nginx.conf" 3>&-
}

get() {
    /usr/bin/curl -s --noproxy '*' --max-time 5 "$@"
}

@test "a second run changes nothing, in both families" {
    for os in debian-12 alinux-3; do
        rm -rf "$BATS_TEST_TMPDIR/host"
        stub_host "$os"
        web_host
        touch "$NGINX_ETC/sites-enabled/default"
        node
        [[ $status == 0 && $(field changed) == *"service nginx started"* && $(field release) == '"initial"' ]]
        [[ ! -e $NGINX_ETC/sites-enabled/default ]]
        node
        [[ $status == 0 && $(field changed) == '[]' ]]
    done
}

@test "takes every name from the site in RHEL 8's nginx.conf, and its ports from SELinux" {
    stub_host rocky-8
    web_host
    stub_selinux
    printf '    server {\n        listen       80 default_server;\n        listen       [::]:80 default_server;\n    }\n' >"$NGINX_ETC/nginx.conf"
    node SERVER_NAMES=www.example.com PORT=8009
    [[ $status == 0 && $(field changed) == *'"SELinux: port 18481 is http_port_t"'*nginx.conf* && $(field changed) != *"port 8009"* ]]
    node
    [[ $status == 0 && $(field changed) == *'"SELinux: port 18480 is http_port_t"'* ]]
    [[ $(<"$NGINX_ETC/nginx.conf") == $'    server {\n        listen       80;\n        listen       [::]:80;\n    }' ]]
    node
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "a version of nginx comes from its stream in the RHEL family" {
    stub_host rocky-9.5
    web_host
    printf 'nginx 1.24.0-4\n' >"$host/offered"
    node VERSION=1.24
    [[ $status == 0 && $(grep -o 'module enable .*' "$host/argv") == 'module enable nginx:1.24' ]]
    node VERSION=1.24
    [[ $(field changed) == '[]' && $(grep -c 'module enable' "$host/argv") == 1 ]]
}

@test "a changed setting is taken over by a reload" {
    node
    node BURST=7
    [[ $status == 0 && $(field changed) == *'"nginx reloaded"'* ]]
    grep -q "systemctl reload nginx" "$host/argv"
}

@test "keeps the configuration before when nginx refuses the new one, and tries again" {
    node
    touch "$host/nginx-refuses"
    node BURST=7
    [[ $status != 0 && $stderr == *"web/node.sh:"*"nginx refuses the configuration; the one before stays"*"unknown directive"* ]]
    grep -q burst=100 "$NGINX_ETC/conf.d/site.conf"
    rm "$host/nginx-refuses"
    node BURST=7
    [[ $status == 0 && $(field changed) == *'"nginx reloaded"'* ]]
}

@test "a reload that a broken run owed is made up for" {
    node TLS_PORT=18443
    touch "$host/nginx-refuses"
    certificate=renewed node TLS_PORT=18443 BURST=7
    [[ $status != 0 ]]
    rm "$host/nginx-refuses"
    certificate=renewed node TLS_PORT=18443
    [[ $status == 0 && $(field changed) == *'"nginx reloaded"'* ]]
}

@test "keeps the key to root, and out of arguments and of the log" {
    node TLS_PORT=18443
    [[ $(/usr/bin/stat -c %a "$NGINX_ETC/multihost/site.key") == 600 ]]
    secret=$(sed -n 2p "$BATS_FILE_TMPDIR/site.key")
    [[ $stderr$output != *"$secret"* ]]
    run ! grep -qF "$secret" "$host/argv"
}

@test "a key that is another certificate's changes nothing, and what nginx refuses takes its certificate along" {
    node TLS_PORT=18443
    key=other node TLS_PORT=18443
    [[ $status != 0 && $stderr == *"tls.privateKey is not the key of tls.certificate"* ]]
    cmp "$NGINX_ETC/multihost/site.key" "$BATS_FILE_TMPDIR/site.key"
    touch "$host/nginx-refuses"
    certificate=renewed node TLS_PORT=18443 BURST=7
    [[ $status != 0 ]]
    cmp "$NGINX_ETC/multihost/site.crt" "$BATS_FILE_TMPDIR/site.crt"
    [[ $(/usr/bin/stat -c %a "$NGINX_ETC/multihost/site.key") == 600 ]]
    echo nonsense >"$BATS_FILE_TMPDIR/nonsense.crt"
    certificate=nonsense node TLS_PORT=18443
    [[ $status != 0 && $stderr == *"tls.certificate can't be read"* ]]
}

@test "refuses content that should be shared and is on no mount" {
    # shellcheck disable=SC2016
    stub stat 'echo 7'
    node SHARED=true
    [[ $status != 0 && $stderr == *"is not below a mount of its own"* ]]
}

@test "two sites have no folder in common, and one of earlier versions is taken over" {
    node
    : >"$host/argv"
    node NAME=shop PORT=18482
    [[ $status != 0 && $stderr == *"content.directory: $www is that of the site site: give shop a folder of its own"* ]]
    [[ ! -e $NGINX_ETC/conf.d/shop.conf && ! -s $host/argv ]]
    rm "$www/.multihost-site"
    node
    [[ $status == 0 && $(field changed) == *.multihost-site* && $(<"$www/.multihost-site") == site ]]
    STEP_EVENT=delete node
    node NAME=shop
    [[ $status == 0 && $(<"$www/.multihost-site") == shop ]]
}

@test "removing the site removes its files alone" {
    node TLS_PORT=18443
    touch "$NGINX_ETC/conf.d/other.conf"
    run bash -c "source '$scripts/web/node.sh' 2>/dev/null; service_active() { false; }; PARAM_NAME=site PARAM_DIRECTORY=$www; remove"
    [[ $status == 0 && ! -e $NGINX_ETC/conf.d/site.conf && -e $NGINX_ETC/conf.d/other.conf ]]
}

@test "sites share the room for long names, unless nginx.conf gives it, and the last one takes it along" {
    node
    node NAME=other SERVER_NAMES=www.example.com DIRECTORY="$host/srv/other"
    [[ $status == 0 && $(field changed) != *00-multihost* ]]
    for name in site other; do
        [[ $(<"$NGINX_ETC/conf.d/00-multihost.conf") == *"server_names_hash_bucket_size 512;" ]]
        run bash -c "source '$scripts/web/node.sh' 2>/dev/null; service_active() { false; }; PARAM_NAME=$name PARAM_DIRECTORY=$www; remove"
        [[ $status == 0 ]]
    done
    [[ -z $(ls "$NGINX_ETC/conf.d") ]]
    node
    printf 'http {\n    # server_names_hash_bucket_size 64;\n    server_names_hash_bucket_size 128;\n}\n' >"$NGINX_ETC/nginx.conf"
    node
    [[ $status == 0 && $(field changed) == *"00-multihost.conf removed"*"nginx reloaded"* && $(ls "$NGINX_ETC/conf.d") == site.conf ]]
    node
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "serves with its headers, without version and without hidden files" {
    serve
    echo secret >"$www/current/.env"
    [[ $(get "http://127.0.0.1:$port/") == *"site works"* ]]
    headers=$(get -D - -o /dev/null "http://127.0.0.1:$port/nothing")
    [[ $headers == *"404 Not Found"* && $headers == *"X-Content-Type-Options: nosniff"* ]]
    [[ $headers == *"Content-Security-Policy: default-src 'self'"* && $headers != *1.2* ]]
    [[ $(get -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/.env") == 404 ]]
    [[ $(get "http://127.0.0.1:18481/status") == "Active connections:"* ]]
}

@test "a folder without its slash is redirected to where the client is, whatever the host's own scheme and port" {
    serve
    mkdir "$www/current/docs"
    [[ $(get -D - -o /dev/null -H 'Host: www.example.com' "http://127.0.0.1:$port/docs") == *$'\nLocation: /docs/\r'* ]]
}

@test "is well only while its content is there" {
    serve
    [[ $(get -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz") == 200 ]]
    mv "$www/current" "$www/gone"
    [[ $(get -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz") == 503 ]]
}

@test "limits each client by itself, by the address that a trusted balancer gives" {
    serve REQUESTS_PER_SECOND=1 BURST=2
    for client in 198.51.100.1 198.51.100.2; do
        codes=$(for _ in 1 2 3 4 5 6; do
            get -H "X-Forwarded-For: $client" -o /dev/null -w '%{http_code} ' "http://127.0.0.1:$port/"
        done)
        [[ $codes == "200 200 200 429 429 429 " ]]
    done
    [[ $(get -o /dev/null -w '%{http_code}' -H "X-Forwarded-For: 198.51.100.1" "http://127.0.0.1:$port/healthz") == 200 ]]
}

@test "hands requests to the application, and says 502 while it is away" {
    mkdir "$BATS_TEST_TMPDIR/app"
    echo "the application" >"$BATS_TEST_TMPDIR/app/index.html"
    echo fine >"$BATS_TEST_TMPDIR/app/healthz"
    (cd "$BATS_TEST_TMPDIR/app" && exec python3 -m http.server --bind 127.0.0.1 18482 >/dev/null 2>&1 3>&-) &
    application=$!
    serve UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    for _ in $(seq 50); do
        [[ $(get "http://127.0.0.1:$port/") != "the application" ]] || break
        sleep 0.1
    done
    [[ $(get "http://127.0.0.1:$port/") == "the application" && $(get "http://127.0.0.1:$port/healthz") == fine ]]
    kill "$application"
    wait "$application" || true
    [[ $(get -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz") == 502 ]]
}

# An application on PORT that tells what it was asked: the method, and the headers that proxies set; at /headers, all of them. Its health is the status in the file
# `health` of this test, 204 unless told, and it knows no HEAD.
application() {
    python3 - "$1" "$BATS_TEST_TMPDIR/health" >/dev/null 2>&1 3>&- <<'EOF' &
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/healthz":
            self.send_response(int(open(sys.argv[2]).read()) if os.path.exists(sys.argv[2]) else 204)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        names = ["Host", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto"]
        answer = " ".join([self.command] + [str(self.headers[name]) for name in names]).encode()
        if self.path == "/headers":
            answer = str(self.headers).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
EOF
    echo $! >"$BATS_TEST_TMPDIR/application.pid"
    for _ in $(seq 100); do
        [[ -z $(get "http://127.0.0.1:$1/") ]] || break
        sleep 0.1
    done
}

@test "an application's health is any 2xx, and what else it answers is told with its address" {
    application 18482
    serve_as_service UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    node UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    [[ $status == 0 && $(field changed) == '[]' ]]
    echo 404 >"$BATS_TEST_TMPDIR/health"
    ANSWER_SECONDS=1 node UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    [[ $status != 0 && $stderr == *"waited 1 s for the site to answer"*"port 18480: /healthz answers with status 404, asked of 127.0.0.1:18482"* ]]
}

@test "asks the application for its health with GET, however a balancer asks" {
    application 18482
    echo 200 >"$BATS_TEST_TMPDIR/health"
    serve UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    [[ $(get -I -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/") == 501 ]]
    for _ in 1 2; do
        [[ $(get -I -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz") == 200 ]]
    done
}

@test "tells the application who asks once, for what host, and what the client speaks with the balancer" {
    application 18482
    serve UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    asked=(-H 'Host: www.example.com:8443' -H 'X-Forwarded-For: 203.0.113.9, 198.51.100.1')
    [[ $(get "${asked[@]}" -H 'X-Forwarded-Proto: https' "http://127.0.0.1:$port/") == "GET www.example.com:8443 198.51.100.1 198.51.100.1 https" ]]
    [[ $(get "${asked[@]}" -H 'X-Forwarded-Proto: gopher' "http://127.0.0.1:$port/") == *" http" ]]
    [[ $(get --http1.0 -H 'Host:' "http://127.0.0.1:$port/") == "GET _ 127.0.0.1 127.0.0.1 http" ]]
    kill -QUIT "$(<"$BATS_TEST_TMPDIR/nginx.pid")"
    rm -r "$bin"
    # Nobody's word counts, and over HTTP/2 the host has another name.
    stub_host debian-12
    web_host
    serve UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5 TRUSTED_PROXIES= TLS_PORT=18443
    [[ $(get -k --http2 "${asked[@]}" -H 'X-Forwarded-Proto: http' "https://127.0.0.1:18443/") == "GET www.example.com:8443 127.0.0.1 127.0.0.1 https" ]]
}

@test "hands WebSockets to the application, and no other protocol" {
    application 18482
    serve UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    for protocol in websocket WebSocket; do
        headers=$(get -H 'Connection: Upgrade' -H "Upgrade: $protocol" "http://127.0.0.1:$port/headers")
        grep -qx 'Upgrade: websocket' <<<"$headers"
        grep -qx 'Connection: upgrade' <<<"$headers"
    done
    for protocol in h2c 'h2c, websocket' 'websocket, h2c' TLS/1.2 xwebsocket; do
        headers=$(get -H 'Connection: Upgrade, HTTP2-Settings' -H "Upgrade: $protocol" -H 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA' "http://127.0.0.1:$port/headers")
        [[ $headers == *"Host: "* ]]
        run ! grep -qiE '^(upgrade|connection):' <<<"$headers"
    done
}

@test "a site may be called like what nginx knows of requests" {
    application 18482
    serve NAME=http UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    headers=$(get -H 'Connection: Upgrade' -H 'Upgrade: websocket' "http://127.0.0.1:$port/headers")
    grep -qx 'Upgrade: websocket' <<<"$headers"
    grep -qx 'Connection: upgrade' <<<"$headers"
}

@test "the application hears nothing else of what a client says of its way" {
    application 18482
    serve UPSTREAM=127.0.0.1:18482 UPSTREAM_TIMEOUT=5
    said=()
    for header in Forwarded X-Forwarded-{Host,Port,Prefix,Scheme,Ssl}; do
        said+=(-H "$header: evil")
    done
    headers=$(get "${said[@]}" "http://127.0.0.1:$port/headers")
    [[ $headers == *"X-Forwarded-For: 127.0.0.1"* && $headers != *evil* ]]
}

@test "a release is switched, the ones before are kept for the way back, and a second run changes nothing" {
    serve
    for name in r1 r2 r3; do
        mkdir -p "$www/releases/$name"
        echo "$name" >"$www/releases/$name/index.html"
        sleep 0.01
        release "$name"
        [[ $status == 0 && $(field changed) == "[\"release $name (local)\"]" && $(get "http://127.0.0.1:$port/") == "$name" ]]
    done
    [[ $(field previous) == '"r2"' ]]
    [[ $(ls "$www/releases") == $'r2\nr3' ]]
    release r3
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "the release that was served until the switch stays for the way back, however old it is" {
    node
    for name in r1 r2 r3 r4; do
        mkdir -p "$www/releases/$name"
        echo "$name" >"$www/releases/$name/index.html"
        touch -d "2026-01-0${name#r}" "$www/releases/$name"
    done
    release r1 KEEP=5
    release r4
    [[ $status == 0 && $(field previous) == '"r1"' && $(ls "$www/releases") == *r1*r4* && ! -e $www/releases/r2 ]]
    release r4
    [[ $status == 0 && $(ls "$www/releases") == *r1*r4* ]]
    release r1
    [[ $status == 0 && $(field previous) == '"r4"' && $(ls "$www/releases") == *r1*r4* ]]
}

@test "an earlier release that can't be removed is told of, and fails nothing" {
    node
    # shellcheck disable=SC2016
    stub rm '[[ $* != *releases/r1 ]] || { echo "rm: cannot remove it: Permission denied" >&2; exit 1; }; exec /usr/bin/rm "$@"'
    for name in r1 r2 r3 r4; do
        mkdir -p "$www/releases/$name"
        echo "$name" >"$www/releases/$name/index.html"
        sleep 0.01
        release "$name"
        [[ $status == 0 ]]
    done
    [[ $(field notes) == "[\"earlier releases can't be removed (local): r1\"]" ]]
    [[ $(ls "$www/releases") == $'r1\nr3\nr4' ]]
}

@test "releases that root or somebody else has put there become the user's who has to remove them" {
    /usr/bin/rm "$bin/chown" "$bin/stat"
    node
    mkdir "$www/releases/r1" "$www/releases/r1/page"
    /usr/bin/chown 12345 "$www/releases/r1/page"
    node USER=nobody
    [[ $status == 0 && $(field changed) == *"releases: owner"* ]]
    [[ -z $(find "$www/releases" ! -user nobody) ]]
    node USER=nobody
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "a release that does not answer is taken back" {
    serve
    mkdir -p "$www/releases/good" "$www/releases/bad"
    echo good >"$www/releases/good/index.html"
    release good
    ANSWER_SECONDS=1 release bad
    [[ $status != 0 && $stderr == *"web/release.sh:"*"release bad does not answer on every host, all hosts serve good again"* ]]
    [[ $stderr == *"web-1: /healthz answers with status 503"* && $(get "http://127.0.0.1:$port/") == good ]]
}

@test "with TLS, a release is asked for behind the redirection" {
    serve TLS_PORT=18443
    mkdir -p "$www/releases/good" "$www/releases/bad"
    echo good | tee "$www/releases/good/index.html" "$www/releases/good/page" "$www/releases/bad/index.html" >/dev/null
    release good TLS_PORT=18443 CHECK_PATH=/page
    [[ $status == 0 && $(field changed) == '["release good (local)"]' ]]
    ANSWER_SECONDS=1 release bad TLS_PORT=18443 CHECK_PATH=/page
    [[ $status != 0 && $stderr == *"all hosts serve good again"*"web-1: /page answers with status 404 on port 18443"* ]]
    [[ $(get -k "https://127.0.0.1:18443/page") == good ]]
}

# The nginx of `serve` under the name of a service.
serve_as_service() {
    serve "$@"
    export PROC=/proc NGINX_LOG=$BATS_TEST_TMPDIR/error.log RELOAD_SECONDS=3 ANSWER_SECONDS=5
    # shellcheck disable=SC2016
    {
        stub nginx 'exec /usr/sbin/nginx -c "$HOST/../nginx.conf" "$@"'
        mv "$bin/systemctl" "$bin/systemctl.units"
        stub systemctl '
            case $1 in
            show) cat "$HOST/../nginx.pid" ;;
            reload) kill -HUP "$(cat "$HOST/../nginx.pid")" ;;
            *) exec systemctl.units "$@" ;;
            esac'
    }
}

@test "a reload that nginx does not take over fails, and leaves the configuration before" {
    serve_as_service
    [[ -r /proc/self/task/$$/children || -r /proc/1/task/1/children ]] || skip "this kernel doesn't tell a process's children"
    node BURST=7
    [[ $status == 0 && $(field changed) == *'"nginx reloaded"'* ]]
    (cd "$BATS_TEST_TMPDIR" && exec python3 -m http.server --bind 0.0.0.0 18443 >/dev/null 2>&1 3>&-) &
    other=$!
    for _ in $(seq 100); do
        [[ -z $(get "http://127.0.0.1:18443/") ]] || break
        sleep 0.1
    done
    node BURST=7 TLS_PORT=18443
    [[ $status != 0 && $stderr == *"nginx did not take over the configuration; the one before stays"*"Address already in use"* ]]
    run ! grep -q 18443 "$NGINX_ETC/conf.d/site.conf"
    kill "$other"
    wait "$other" || true
    node BURST=7 TLS_PORT=18443
    [[ $status == 0 && $(field changed) == *'"nginx reloaded"'* && $(get -k https://127.0.0.1:18443/) == *"site works"* ]]
    node BURST=7 TLS_PORT=18443
    [[ $status == 0 && $(field changed) == '[]' ]]
}

@test "a port that nothing of the site answers on fails, also where nobody tells of the processes" {
    serve_as_service
    stub systemctl '[[ $1 != show ]] || exit 1; exec systemctl.units "$@"'
    node STATUS_PORT=18483
    [[ $status != 0 && $stderr == *"waited 5 s for the site to answer"*"port 18483: no answer with nginx's figures"* ]]
    # What broke off is made up for.
    stub systemctl '[[ $1 != reload ]] || kill -HUP "$(cat "$HOST/../nginx.pid")"; exec systemctl.units "$@"'
    node STATUS_PORT=18483
    [[ $status == 0 && $(field changed) == '["nginx reloaded"]' ]]
}

@test "of two sites on one port, each is asked for by its name, however long" {
    long=$(printf 'long-label-of-a-name%.0s' 1 2 3).$(printf 'another-label-of-it%.0s' 1 2 3).example.com
    node NAME=first SERVER_NAMES="first.example.com $long" DIRECTORY="$host/srv/first"
    serve NAME=second SERVER_NAMES="*.second.example.com" STATUS_PORT=18482
    echo first >"$host/srv/first/current/page"
    [[ $(get "http://127.0.0.1:$port/page") == first && $(get -H "Host: $long" "http://127.0.0.1:$port/page") == first ]]
    mkdir -p "$www/releases/r1"
    echo second >"$www/releases/r1/index.html"
    ANSWER_SECONDS=1 release r1 SERVER_NAMES="*.second.example.com" CHECK_PATH=/page
    [[ $status != 0 && $stderr == *"web-1: /page answers with status 404"* ]]
    echo second >"$www/releases/r1/page"
    release r1 SERVER_NAMES="*.second.example.com" CHECK_PATH=/page
    [[ $status == 0 && $(get -H 'Host: www.second.example.com' "http://127.0.0.1:$port/page") == second ]]
}

@test "each host goes back to its own, when a switch breaks off and when the release does not answer" {
    stub curl 'if [[ -e $HOST/unwell ]]; then printf 503; else printf 200; fi'
    # Every host's folder is one of its own here.
    stub runuser '
        for word in "$@"; do [[ $word != *@* ]] || address=${word#*@}; done
        text=$(sed "s|$HOST/srv/www|$HOST/$address|g")
        [[ ! -e $HOST/lost-$address || $text != *"web_release_here switch "*" new"* ]] || exit 255
        bash -s <<<"$text"'
    members="web-1=10.0.0.1 web-2=10.0.0.2 web-3=10.0.0.3"
    for address in 10.0.0.1 10.0.0.2 10.0.0.3; do
        mkdir -p "$host/$address/releases/new" "$host/$address/releases/initial"
        ln -s releases/initial "$host/$address/current"
    done
    for address in 10.0.0.1 10.0.0.2; do
        mkdir "$host/$address/releases/old"
        ln -sfn releases/old "$host/$address/current"
    done
    links() { readlink "$host"/10.0.0.{1,2,3}/current | tr '\n' ' '; }
    touch "$host/lost-10.0.0.3"
    release new MEMBERS="$members" USER=multihost
    [[ $status != 0 && $stderr == *"can't switch web-3 to release new, each host serves again what it did before"* ]]
    [[ $(links) == "releases/old releases/old releases/initial " ]]
    rm "$host/lost-10.0.0.3"
    touch "$host/unwell"
    ANSWER_SECONDS=1 release new MEMBERS="$members" USER=multihost
    [[ $status != 0 && $stderr == *"release new does not answer on every host, each host serves again what it did before"* ]]
    [[ $(links) == "releases/old releases/old releases/initial " ]]
    rm "$host/unwell"
    release new MEMBERS="$members" USER=multihost
    [[ $status == 0 && $(field previous) == '"old"' && $(links) == "releases/new releases/new releases/new " ]]
    # A new host among others that serve the release already.
    ln -sfn releases/initial "$host/10.0.0.3/current"
    touch "$host/unwell"
    ANSWER_SECONDS=1 release new MEMBERS="$members" USER=multihost
    [[ $status != 0 && $stderr == *"and there is none to go back to"* && $(links) == "releases/new releases/new releases/new " ]]
}

@test "a release is fetched and its digest verified before anything is switched" {
    serve
    mkdir -p "$BATS_TEST_TMPDIR/archive" "$BATS_TEST_TMPDIR/files"
    echo fetched >"$BATS_TEST_TMPDIR/files/index.html"
    tar -czf "$BATS_TEST_TMPDIR/archive/site.tar.gz" -C "$BATS_TEST_TMPDIR/files" .
    digest=$(sha256sum <"$BATS_TEST_TMPDIR/archive/site.tar.gz" | cut -d' ' -f1)
    stub curl 'exec /usr/bin/curl "$@"'
    url="file://$BATS_TEST_TMPDIR/archive/site.tar.gz?Signature=pssst\"\\"
    release new SHA256="${digest//[0-9]/0}" -- URL="$url"
    [[ $status != 0 && $stderr == *"can't bring release new to local; nothing was switched"*"SHA-256 is not release.sha256"* ]]
    [[ $(get "http://127.0.0.1:$port/") == *"site works"* && $(ls "$www/releases") == initial ]]
    release new SHA256="$digest" -- URL="$url"
    [[ $status == 0 && $(get "http://127.0.0.1:$port/") == fetched ]]
    run ! grep -q pssst "$host/argv"
    release gone SHA256="$digest" -- URL="file://$BATS_TEST_TMPDIR/nowhere?Signature=pssst"
    [[ $status != 0 && $stderr != *pssst* ]]
    release missing
    [[ $status != 0 && $stderr == *"put the release there, or give release.url"* ]]
}

@test "a release is fetched from where its address leads, and by TLS only once it was asked for so" {
    node
    mkdir -p "$BATS_TEST_TMPDIR/archive"
    tar -czf "$BATS_TEST_TMPDIR/archive/site.tar.gz" -C "$www/releases/initial" .
    digest=$(sha256sum <"$BATS_TEST_TMPDIR/archive/site.tar.gz" | cut -d' ' -f1)
    python3 - "$BATS_TEST_TMPDIR/archive" "$BATS_FILE_TMPDIR" >/dev/null 2>&1 3>&- <<'EOF' &
import functools, http.server, ssl, sys, threading
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/asset":
            return super().do_GET()
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:18482/site.tar.gz")
        self.end_headers()
handler = functools.partial(Handler, directory=sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2] + "/site.crt", sys.argv[2] + "/site.key")
secure = http.server.ThreadingHTTPServer(("127.0.0.1", 18443), handler)
secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=secure.serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", 18482), handler).serve_forever()
EOF
    server=$!
    for _ in $(seq 100); do
        [[ -z $(get "http://127.0.0.1:18482/") ]] || break
        sleep 0.1
    done
    # shellcheck disable=SC2016
    stub curl 'if [[ "$*" == *http_code* ]]; then printf 200; else exec /usr/bin/curl -k "$@"; fi'
    release plain SHA256="$digest" -- URL="http://127.0.0.1:18482/asset"
    plain=$status
    release secure SHA256="$digest" -- URL="https://127.0.0.1:18443/asset"
    kill "$server"
    wait "$server" || true
    [[ $plain == 0 && $(ls "$www/releases/plain") == index.html ]]
    [[ $status != 0 && $stderr == *"can't bring release secure to local; nothing was switched"*rotocol*http* && ! -e $www/releases/secure ]]
}
