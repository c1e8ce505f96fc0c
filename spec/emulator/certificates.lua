--- The certificates of one run: made afresh, never kept.
local system = require("spec.emulator.system")

local certificates = {}

-- One key serves every server, since only what is signed differs. `openssl ca` makes the expired certificate because
-- it alone takes dates of the past in every version of openssl.
local script = [[
exec 2>&1
unset LD_PRELOAD
cd "$directory" || exit 1
umask 077
cat > openssl.cnf <<'END'
[req]
distinguished_name = name
prompt = no
[name]
CN = mediastop emulator
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[other]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:other.example
[ca]
default_ca = past
[past]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = optional
END
: > index.txt
authority() {
  openssl req -config openssl.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 2 \
    -extensions authority -subj "/CN=$2" -keyout "$1.key" -out "$1.pem" || exit 1
}
sign() {
  openssl x509 -req -in server.csr -CA "$2.pem" -CAkey "$2.key" -set_serial "$4" -sha256 -days 2 \
    -extfile openssl.cnf -extensions "$3" -out "$1.pem" || exit 1
}
authority ca 'mediastop emulator CA'
authority unknown_authority 'mediastop emulator CA that nobody trusts'
openssl req -config openssl.cnf -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 \
  -keyout server.key -out server.csr || exit 1
sign server ca server 1
sign wrong_host ca other 2
sign unknown_ca unknown_authority server 3
openssl ca -config openssl.cnf -batch -notext -in server.csr -cert ca.pem -keyfile ca.key \
  -startdate 20200101000000Z -enddate 20200102000000Z -out expired.pem || exit 1
echo made
]]

--- Writes `ca.pem`, `server.key` and the servers' certificates `server.pem`, `expired.pem`, `wrong_host.pem` and
--- `unknown_ca.pem` into the folder.
function certificates.make(directory)
  local output = system.capture("directory=" .. system.quote(directory) .. "\n" .. script)
  if not output:find("made$") then
    error("emulator: openssl could not make the certificates (Debian package: openssl):\n" .. output, 0)
  end
end

return certificates
