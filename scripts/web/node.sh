# shellcheck shell=bash
# nginx on this host: installed, configured, serving `current`, or an application behind it.
#
# PARAM_NAME                              of the site: names its files and zones
# PARAM_DIRECTORY, PARAM_SHARED           where releases/ and `current` are; whether other hosts write there too
# PARAM_USER                              who owns the folder, root unless told
# PARAM_PORT, PARAM_SERVER_NAMES          no names: every name
# PARAM_HEALTH_PATH
# PARAM_REQUESTS_PER_SECOND, PARAM_BURST, PARAM_CONNECTIONS, PARAM_BODY_SIZE
# PARAM_HEADERS                           lines "Name: value"
# PARAM_TRUSTED_PROXIES                   CIDR blocks whose X-Forwarded-For and X-Forwarded-Proto count
# PARAM_STATUS_PORT                       nginx's own figures, on loopback
# PARAM_UPSTREAM, PARAM_UPSTREAM_TIMEOUT  "address:port …"
# PARAM_VERSION                           of nginx's package, or its beginning; any unless told
# PARAM_TLS_PORT, SECRET_CERTIFICATE, SECRET_PRIVATE_KEY

NGINX_ETC=${NGINX_ETC:-/etc/nginx}
NGINX_RUN=${NGINX_RUN:-/run}
SHARED_CONFIG=$NGINX_ETC/conf.d/00-multihost.conf
OURS='# Written by multihost: changes made here are lost.'
DEFAULT_LISTEN='^[[:space:]]*listen[[:space:]][^#]*[[:space:]]default_server'

# The limits' zones stand outside the server, so their names hold the site's.
site_config() {
    local name=$PARAM_NAME names=${PARAM_SERVER_NAMES:-_} default='' range
    [[ -n ${PARAM_SERVER_NAMES:-} ]] || default=' default_server'
    cat <<EOF
$OURS
limit_req_zone \$binary_remote_addr zone=${name}_requests:10m rate=${PARAM_REQUESTS_PER_SECOND}r/s;
limit_conn_zone \$binary_remote_addr zone=${name}_connections:10m;
EOF
    [[ -z ${PARAM_UPSTREAM:-} ]] || upstream_config
    if [[ -n ${PARAM_TLS_PORT:-} ]]; then
        cat <<EOF
server {
    listen $PARAM_PORT$default;
    server_name $names;
    server_tokens off;
$(health_location)
    location / {
        return 308 https://\$host$([[ $PARAM_TLS_PORT == 443 ]] || printf ':%s' "$PARAM_TLS_PORT")\$request_uri;
    }
}
server {
    listen $PARAM_TLS_PORT ssl http2$default;
    ssl_certificate $NGINX_ETC/multihost/$name.crt;
    ssl_certificate_key $NGINX_ETC/multihost/$name.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_cache shared:${name}_tls:10m;
    ssl_session_timeout 1d;
    ssl_session_tickets off;
EOF
    else
        printf 'server {\n    listen %s%s;\n' "$PARAM_PORT" "$default"
    fi
    # A folder without its slash is redirected: where clients are, only they know, as a balancer has another scheme and port.
    printf '    server_name %s;\n    server_tokens off;\n    absolute_redirect off;\n    root %s/current;\n    client_max_body_size %s;\n' \
        "$names" "$PARAM_DIRECTORY" "$PARAM_BODY_SIZE"
    for range in ${PARAM_TRUSTED_PROXIES:-}; do
        printf '    set_real_ip_from %s;\n' "$range"
    done
    [[ -z ${PARAM_TRUSTED_PROXIES:-} ]] || printf '    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n'
    header_lines
    cat <<EOF
    limit_conn ${name}_connections $PARAM_CONNECTIONS;
    limit_conn_status 429;
    limit_req_status 429;
    client_header_timeout 10s;
    client_body_timeout 30s;
    send_timeout 30s;
$(health_location)
    location ~ /\\.(?!well-known/) {
        return 404;
    }
    location / {
        limit_req zone=${name}_requests burst=$PARAM_BURST nodelay;
EOF
    if [[ -n ${PARAM_UPSTREAM:-} ]]; then
        proxy_lines
    else
        cat <<EOF
        index index.html;
        try_files \$uri \$uri/ =404;
EOF
    fi
    cat <<EOF
    }
}
server {
    listen 127.0.0.1:$PARAM_STATUS_PORT;
    server_name localhost;
    server_tokens off;
    location = /status {
        stub_status;
        access_log off;
    }
    location / {
        return 404;
    }
}
EOF
}

# How the site's own variables begin. nginx's begin in no such way: of a site `http`, `$http_upgrade` would be a request's header.
site_variable() {
    printf '%s' "\$site_${PARAM_NAME//-/_}"
}

# The application, and what it is told of a request.
upstream_config() {
    local variable range server
    variable=$(site_variable)
    cat <<EOF
# A server that takes another protocol, HTTP/2 above all, would see requests that none of this site's rules has seen.
map \$http_upgrade ${variable}_upgrade {
    default        '';
    ~*^websocket\$ websocket;
}
map ${variable}_upgrade ${variable}_connection {
    default upgrade;
    ''      '';
}
# HTTP/1.0 knows no Host.
map \$http_host ${variable}_authority {
    default \$http_host;
    ''      \$host;
}
geo \$realip_remote_addr ${variable}_trusted {
    default 0;
EOF
    for range in ${PARAM_TRUSTED_PROXIES:-}; do
        printf '    %s 1;\n' "$range"
    done
    cat <<EOF
}
# A balancer that ends TLS speaks HTTP with this host, and knows what its client speaks.
map ${variable}_trusted:\$http_x_forwarded_proto ${variable}_scheme {
    default \$scheme;
    1:http  http;
    1:https https;
}
upstream ${PARAM_NAME}_upstream {
EOF
    for server in $PARAM_UPSTREAM; do
        printf '    server %s max_fails=2 fail_timeout=5s;\n' "$server"
    done
    printf '    keepalive 32;\n}\n'
}

health_location() {
    printf '    location = %s {\n        access_log off;\n' "$PARAM_HEALTH_PATH"
    if [[ -n ${PARAM_UPSTREAM:-} ]]; then
        # A balancer asks with HEAD, which not every application knows.
        printf '        proxy_method GET;\n'
        proxy_lines
    else
        # Content that is not mounted, or not there, takes the host out of the balancer.
        printf '        root %s/current;\n        default_type text/plain;\n        try_files %s /index.html =503;\n' \
            "$PARAM_DIRECTORY" "$PARAM_HEALTH_PATH"
    fi
    printf '    }\n'
}

header_lines() {
    local line
    while IFS= read -r line; do
        [[ -n $line ]] || continue
        printf '    add_header %s "%s" always;\n' "${line%%: *}" "${line#*: }"
        # The application's own would stand beside it, and two of them are as good as none.
        [[ -z ${PARAM_UPSTREAM:-} ]] || printf '    proxy_hide_header %s;\n' "${line%%: *}"
    done <<<"${PARAM_HEADERS:-}"
}

# What a client could say of itself, and some applications believe: Host, X-Forwarded-For and X-Forwarded-Proto tell all of it.
UNTOLD='Forwarded X-Forwarded-Host X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-Scheme X-Forwarded-Ssl'

# X-Forwarded-For names the client alone: what else stood there is for nobody to believe, and which proxies to skip only this host knows.
proxy_lines() {
    local variable header
    variable=$(site_variable)
    cat <<EOF
        proxy_pass http://${PARAM_NAME}_upstream;
        proxy_http_version 1.1;
        proxy_connect_timeout 2s;
        proxy_read_timeout ${PARAM_UPSTREAM_TIMEOUT}s;
        proxy_send_timeout ${PARAM_UPSTREAM_TIMEOUT}s;
        proxy_set_header Host ${variable}_authority;
        proxy_set_header X-Real-IP \$remote_addr;
        proxy_set_header X-Forwarded-For \$remote_addr;
        proxy_set_header X-Forwarded-Proto ${variable}_scheme;
        proxy_set_header Upgrade ${variable}_upgrade;
        proxy_set_header Connection ${variable}_connection;
EOF
    for header in $UNTOLD; do
        printf "        proxy_set_header %s '';\n" "$header"
    done
}

# A host that has never seen a release says so instead of answering with an error.
initial_release() {
    local owner=$1
    [[ ! -e $PARAM_DIRECTORY/current ]] || return 0
    directory "$PARAM_DIRECTORY/releases/initial" 0755 "$owner"
    file_write "$PARAM_DIRECTORY/releases/initial/index.html" 0644 "$owner" \
        "<!doctype html><title>$PARAM_NAME</title><p>$PARAM_NAME works. No release is served yet."
    # Another host may have been faster on a shared folder.
    ln -sT releases/initial "$PARAM_DIRECTORY/current" 2>/dev/null || [[ -e $PARAM_DIRECTORY/current ]]
}

# Only who owns them can remove them: they are root's where this was the only host, or whoever's who put them there.
own_releases() {
    local owner=$1 releases=$PARAM_DIRECTORY/releases
    [[ -n ${PARAM_USER:-} && -n $(find "$releases" ! -user "$PARAM_USER" -print -quit) ]] || return 0
    quietly chown -hR "$owner" "$releases"
    changed "$releases: owner"
}

site_mark() {
    printf '%s/.multihost-site' "$PARAM_DIRECTORY"
}

# Two sites would switch each other's releases: `current` is one.
refuse_other_site() {
    local mark
    mark=$(site_mark)
    [[ ! -e $mark || $(<"$mark") == "$PARAM_NAME" ]] ||
        die "content.directory: $PARAM_DIRECTORY is that of the site $(<"$mark"): give $PARAM_NAME a folder of its own. If it is the same site under another name, keep the old one as siteName, or remove $mark"
}

# The module that refuses foreign files and connections, where it is switched on.
allow_selinux() {
    selinux_enabled || return 0
    local setting settings=()
    [[ ${PARAM_SHARED:-false} != true ]] || settings+=(httpd_use_fusefs httpd_use_nfs)
    [[ -z ${PARAM_UPSTREAM:-} ]] || settings+=(httpd_can_network_connect)
    for setting in ${settings[@]+"${settings[@]}"}; do
        [[ $(getsebool "$setting" 2>/dev/null) != *off ]] || {
            quietly setsebool -P "$setting" on
            changed "SELinux: $setting"
        }
    done
    [[ ${PARAM_SHARED:-false} == true ]] || chcon -R -t httpd_sys_content_t "$PARAM_DIRECTORY" 2>/dev/null || true
}

# A pair that doesn't fit would stop nginx at its next start.
refuse_other_key() {
    local of_certificate of_key
    of_certificate=$(printf '%s\n' "$SECRET_CERTIFICATE" | openssl x509 -noout -pubkey 2>/dev/null) ||
        die "tls.certificate can't be read: give the server's certificate in PEM format, followed by the intermediate ones"
    of_key=$(printf '%s\n' "$SECRET_PRIVATE_KEY" | openssl pkey -pubout -passin pass: 2>/dev/null) ||
        die "tls.privateKey can't be read: give it in PEM format, without a passphrase"
    [[ $of_certificate == "$of_key" ]] || die "tls.privateKey is not the key of tls.certificate, or another certificate comes first there"
}

# What each of the site's files held before this run.
declare -A BEFORE=()

# site_file PATH MODE CONTENT. What changes for nginx is marked until it has taken it over, so that a run that was cut off is finished
# by the next.
site_file() {
    BEFORE[$1]=''
    [[ ! -e $1 ]] || BEFORE[$1]=$(cat "$1")
    file_write "$1" "$2" root:root "$3"
    [[ $FILE_CHANGED != true ]] || touch "$RELOAD_MARK"
}

# The files as they were before this run.
put_back() {
    local path
    for path in "${!BEFORE[@]}"; do
        if [[ -n ${BEFORE[$path]} ]]; then
            printf '%s\n' "${BEFORE[$path]}" >"$path"
        else
            rm -f "$path"
        fi
    done
}

# nginx judges the new configuration before it is asked to take it; a bad one leaves the old one in place, with its certificate.
judge_config() {
    local output
    [[ -e $RELOAD_MARK ]] || return 0
    if ! output=$(nginx -t 2>&1 </dev/null); then
        put_back
        die "nginx refuses the configuration; the one before stays" "$output"
    fi
}

# The processes that serve: a configuration that nginx takes over gets new ones. None where the kernel or systemd doesn't tell.
nginx_workers() {
    local pid
    pid=$(systemctl show -p MainPID --value nginx 2>/dev/null) || true
    [[ ${pid:-0} == 0 ]] || cat "${PROC:-/proc}/$pid/task/$pid/children" 2>/dev/null || true
}

# has_new_workers FORMER
has_new_workers() {
    local worker
    for worker in $(nginx_workers); do
        [[ " $1 " == *" $worker "* ]] || return 0
    done
    return 1
}

# A port that another program has passes nginx's own test, and the reload: nginx then goes on with the configuration before, and with these
# files would not start again after a boot.
reload_nginx() {
    local former log=${NGINX_LOG:-/var/log/nginx/error.log}
    former=$(nginx_workers)
    service_command reload nginx
    if [[ -n ${former// /} ]] && ! try_for "${RELOAD_SECONDS:-20}" has_new_workers "$former"; then
        put_back
        die "nginx did not take over the configuration; the one before stays" "$(grep -F '[emerg]' "$log" 2>/dev/null | tail -n 5 || true)"
    fi
    changed "nginx reloaded"
}

# A line for each port of the site that doesn't answer as it should: one alone may be served from the configuration before.
unanswered() {
    local port status
    for port in "$PARAM_PORT" ${PARAM_TLS_PORT:+"$PARAM_TLS_PORT"}; do
        status=$(web_get "$port" "$PARAM_HEALTH_PATH")
        if [[ $status == 000 ]]; then
            printf 'port %s: no answer from nginx\n' "$port"
        elif [[ $status != 2?? ]]; then
            printf 'port %s: %s answers with status %s%s\n' "$port" "$PARAM_HEALTH_PATH" "$status" "${PARAM_UPSTREAM:+, asked of $PARAM_UPSTREAM}"
        fi
    done
    status=$(web_get "$PARAM_STATUS_PORT" /status)
    [[ $status == 200 ]] || printf "port %s: no answer with nginx's figures\n" "$PARAM_STATUS_PORT"
}

answers() {
    [[ -z $(unanswered) ]]
}

# What all sites of this host have in common; no site may have this file's name. The usual buckets are too small for long names, and the largest
# name of the DNS, with 253 letters, fits into these. nginx takes the directive once.
shared_config() {
    local given
    given=$(grep -lsE '^[[:space:]]*server_names_hash_bucket_size[[:space:]]' "$NGINX_ETC/nginx.conf" "$NGINX_ETC"/conf.d/*.conf \
        "$NGINX_ETC"/sites-enabled/* | grep -vxF "$SHARED_CONFIG" || true)
    if [[ -z $given ]]; then
        site_file "$SHARED_CONFIG" 0644 "$OURS"$'\nserver_names_hash_bucket_size 512;'
    elif [[ -e $SHARED_CONFIG ]]; then
        file_remove "$SHARED_CONFIG"
        touch "$RELOAD_MARK"
    fi
}

main() {
    local owner=root:root path
    require_params PARAM_NAME PARAM_DIRECTORY PARAM_PORT PARAM_HEALTH_PATH PARAM_REQUESTS_PER_SECOND PARAM_BURST PARAM_CONNECTIONS \
        PARAM_BODY_SIZE PARAM_STATUS_PORT
    os_detect
    refuse_other_site
    package_installed nginx || packages_stream nginx "${PARAM_VERSION:-}"
    packages_install_version "${PARAM_VERSION:-}" nginx
    packages_install curl tar
    if [[ -n ${PARAM_TLS_PORT:-} ]]; then
        packages_install openssl
        refuse_other_key
    fi
    if [[ ${PARAM_SHARED:-false} == true ]]; then
        # A folder of the same name on the system disk would hide that the mount is missing.
        [[ $(stat -c %d "${PARAM_DIRECTORY%/*}" 2>/dev/null) != $(stat -c %d /) ]] ||
            die "$PARAM_DIRECTORY is not below a mount of its own: content.shared needs storage that all hosts share"
    fi
    [[ -z ${PARAM_USER:-} ]] || owner=$PARAM_USER:$(id -gn "$PARAM_USER")
    directory "$PARAM_DIRECTORY" 0755 "$owner"
    directory "$PARAM_DIRECTORY/releases" 0755 "$owner"
    own_releases "$owner"
    [[ -e $(site_mark) ]] || file_write "$(site_mark)" 0644 "$owner" "$PARAM_NAME"
    initial_release "$owner"
    allow_selinux
    selinux_ports http_port_t "$PARAM_PORT" "$PARAM_STATUS_PORT" ${PARAM_TLS_PORT:+"$PARAM_TLS_PORT"}

    RELOAD_MARK=$NGINX_RUN/multihost-$PARAM_NAME.reload
    if [[ -n ${PARAM_TLS_PORT:-} ]]; then
        directory "$NGINX_ETC/multihost" 0700 root:root
        site_file "$NGINX_ETC/multihost/$PARAM_NAME.crt" 0644 "${SECRET_CERTIFICATE%$'\n'}"
        site_file "$NGINX_ETC/multihost/$PARAM_NAME.key" 0600 "${SECRET_PRIVATE_KEY%$'\n'}"
    fi
    # Debian's own site takes every name on port 80.
    path=$NGINX_ETC/sites-enabled/default
    if [[ -e $path || -L $path ]]; then
        file_remove "$path"
        touch "$RELOAD_MARK"
    fi
    # And so does the site that stands in RHEL 8's nginx.conf: nginx takes one such site only, and a balancer asks by no name.
    path=$NGINX_ETC/nginx.conf
    if [[ -e $path ]] && grep -qE "$DEFAULT_LISTEN" "$path"; then
        site_file "$path" 0644 "$(sed -E "/$DEFAULT_LISTEN/s/[[:space:]]+default_server//" "$path")"
    fi
    shared_config
    site_file "$NGINX_ETC/conf.d/$PARAM_NAME.conf" 0644 "$(site_config)"
    judge_config
    if service_outdated nginx; then
        service_restart nginx
    elif [[ -e $RELOAD_MARK ]] && service_active nginx; then
        reload_nginx
    fi
    service_start nginx
    try_for "${ANSWER_SECONDS:-20}" answers || die "waited ${ANSWER_SECONDS:-20} s for the site to answer" "$(unanswered)"
    rm -f "$RELOAD_MARK"
    finish release="$(web_release_here current "$PARAM_DIRECTORY" '')"
}

remove() {
    local mark sites
    mark=$(site_mark)
    # What others share is still theirs.
    if [[ ${PARAM_SHARED:-false} != true && -e $mark && $(<"$mark") == "$PARAM_NAME" ]]; then
        rm -f "$mark"
    fi
    [[ -e $NGINX_ETC/conf.d/$PARAM_NAME.conf ]] || return 0
    rm -f "$NGINX_ETC/conf.d/$PARAM_NAME.conf" "$NGINX_ETC/multihost/$PARAM_NAME".{crt,key}
    sites=$(grep -lsxF "$OURS" "$NGINX_ETC"/conf.d/*.conf | grep -vxF "$SHARED_CONFIG" || true)
    [[ -n $sites ]] || rm -f "$SHARED_CONFIG"
    ! service_active nginx || service_command reload nginx
}
