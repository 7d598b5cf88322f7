#!/bin/bash
# Creates a user with a role, and prints a random password that has to be changed at the first sign-in:
#   docker compose exec keycloak bash /opt/create-user.sh alice alice@example.com operator
set -euo pipefail

[[ $# -eq 3 && "$3" =~ ^(viewer|operator|approver|admin)$ ]] || {
  echo "usage: create-user.sh <name> <e-mail> <viewer|operator|approver|admin>" >&2
  exit 2
}
# The image has no openssl; SRANDOM is the kernel's generator.
printf -v password '%08x' "$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM"

# The administrator's password is passed by the environment: arguments can be read in the list of processes.
KC_CLI_PASSWORD="$(< /run/secrets/keycloak_admin_password)"
export KC_CLI_PASSWORD
kcadm() {
  /opt/keycloak/bin/kcadm.sh "$@" --no-config --server http://localhost:8080 --realm master --user admin
}
kcadm create users --target-realm company --file - -s "username=$1" -s "email=$2" -s emailVerified=true -s enabled=true \
  <<< "{\"credentials\": [{\"type\": \"password\", \"value\": \"$password\", \"temporary\": true}]}"
kcadm add-roles --target-realm company --uusername "$1" --rolename "$3"
echo "$1 has the role $3, and for the first sign-in the password $password"
