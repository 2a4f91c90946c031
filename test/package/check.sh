#!/usr/bin/env bash
# check.sh DIST: looks at what `make package` made, as whoever installs it would find it.
set -euo pipefail
cd "$1"
fail() { echo "check.sh: $*" >&2; exit 1; }

sha256sum --check --quiet SHA256SUMS
for name in *; do
	[ "$name" = SHA256SUMS ] || grep -q "  $name\$" SHA256SUMS || fail "$name is not in SHA256SUMS"
done

machine=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
wanted='/usr/bin/mss /etc/mss/mss.yaml /etc/mss/environment /etc/logrotate.d/mss
	/usr/lib/systemd/system/mss.service /usr/lib/systemd/system/mss.timer /usr/lib/mss/after-run /usr/lib/mss/mss-cron
	/usr/share/mss/cloudformation.yaml /usr/share/mss/warehouse.sql /usr/share/mss/views.sql /usr/share/doc/mss/README.md'
for arch in amd64 arm64; do
	file mss-linux-$arch | grep -q 'statically linked' || fail "mss-linux-$arch is not static: $(file mss-linux-$arch)"
	grep -q '"name": "github.com/aws/aws-sdk-go-v2"' mss-linux-$arch.cdx.json || fail "the SBOM of $arch does not name its modules"
	deb=$(ls mss_*_$arch.deb)
	rpm=$(ls mss-*.$(echo $arch | sed 's/amd64/x86_64/; s/arm64/aarch64/').rpm)
	dpkg-deb --contents "$deb" | awk '{print substr($6, 2)}' >"$root/deb"
	rpm -qlp "$rpm" 2>/dev/null >"$root/rpm"
	for path in $wanted; do
		grep -qxF "$path" "$root/deb" || fail "$deb lacks $path"
		grep -qxF "$path" "$root/rpm" || fail "$rpm lacks $path"
	done
	[ "$(dpkg-deb -f "$deb" Architecture)" = $arch ] || fail "$deb is for $(dpkg-deb -f "$deb" Architecture)"
	dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles | grep -qx /etc/mss/mss.yaml || fail "$deb would overwrite /etc/mss/mss.yaml"
	dpkg-deb -x "$deb" "$root/$arch"
	dpkg-deb --contents "$deb" | grep '^-rw------- .*/etc/mss/environment$' >/dev/null || fail "$deb lets others than root read /etc/mss/environment"
	rpm -qp --dump "$rpm" 2>/dev/null | grep '^/etc/mss/environment ' | grep ' 0100600 root root ' >/dev/null || fail "$rpm lets others than root read /etc/mss/environment"
	cmp -s mss-linux-$arch "$root/$arch/usr/bin/mss" || fail "$deb holds another program"
done

# What is for this machine runs: it tells its version, and reads the configuration that comes with it.
installed=$root/$machine
version=$("$installed/usr/bin/mss" version)
grep -qvF '(devel)' <<<"$version" || fail "no version is stamped in: $version"
grep -qF "$(dpkg-deb -f mss_*_"$machine".deb Version | sed 's/^0\.0\.0+//; s/\..*//')" <<<"$version" || fail "the program is $version, the package another"
"$installed/usr/bin/mss" config show --config "$installed/etc/mss/mss.yaml" >/dev/null
# systemd-analyze looks for the program where the unit says, so it gets a unit that says where it is here.
sed "s|^ExecStart=/usr|ExecStart=$installed/usr|; s|+-/usr/lib/mss|+-$installed/usr/lib/mss|" "$installed/usr/lib/systemd/system/mss.service" >"$root/mss.service"
cp "$installed/usr/lib/systemd/system/mss.timer" "$root/"
said=$(systemd-analyze verify --man=no "$root/mss.service" "$root/mss.timer" 2>&1 | grep -F "$root" || true)
[ -z "$said" ] || fail "the units: $said"
echo "packages: $version"
