#!/bin/sh
# After `azd provision`: makes what is missing in the vaults, and leaves what is there. Needs az (signed in) and the .NET SDK.
#   infra/hooks/secrets.sh                   the master key, the cluster's authority, the processes' certificate
#   infra/hooks/secrets.sh certificate       a new certificate in place of the old
set -eu

: "${VAULT_NAME:?run it by azd, or: eval \"\$(azd env get-values | sed 's/^/export /')\"}" "${AUTHORITY_VAULT_NAME:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077

hybrid() { dotnet run --project src/Silo -c Release -p:SkipWeb=true -- "$@"; }
has() { az keyvault secret show --vault-name "$1" --name "$2" --query id --output tsv >/dev/null 2>&1; }
put() { az keyvault secret set --vault-name "$1" --name "$2" --file "$3" --encoding "${4:-utf-8}" --output none; }
get() { az keyvault secret show --vault-name "$1" --name "$2" --query value --output tsv >"$3"; }

# A vault that does not answer is not one without a key: a second master key would make the journal unreadable.
# The right to ask may take some minutes to arrive after the first provisioning.
for vault in "$VAULT_NAME" "$AUTHORITY_VAULT_NAME"; do
  tries=20
  until az keyvault secret list --vault-name "$vault" --output none; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "$vault does not answer; try again: azd hooks run postprovision" >&2; exit 1; }
    sleep 15
  done
done

if ! has "$VAULT_NAME" master-key; then
  hybrid keys create "$work/master.key"
  put "$VAULT_NAME" master-key "$work/master.key" base64
fi

if ! has "$AUTHORITY_VAULT_NAME" authority-key; then
  hybrid certificates authority --authority "$work"
  put "$AUTHORITY_VAULT_NAME" authority-key "$work/authority.key"
  put "$AUTHORITY_VAULT_NAME" authority-certificate "$work/authority.crt"
  put "$VAULT_NAME" cluster-authority "$work/authority.crt"
fi

if [ "${1:-}" = certificate ] || ! has "$VAULT_NAME" cluster-certificate; then
  get "$AUTHORITY_VAULT_NAME" authority-key "$work/authority.key"
  get "$AUTHORITY_VAULT_NAME" authority-certificate "$work/authority.crt"
  hybrid certificates issue process --authority "$work" --out "$work"
  # A process uses the pair when both fit; between the two it keeps the one that it has.
  put "$VAULT_NAME" cluster-key "$work/process.key"
  put "$VAULT_NAME" cluster-certificate "$work/process.crt"
fi
