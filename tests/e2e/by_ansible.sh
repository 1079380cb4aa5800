#!/bin/sh
# Leaves a host as the Ansible project that grew out of the deployment plan leaves one, its faults included.
#   sh by_ansible.sh ROLE NETWORK_ADDRESS OWN_ADDRESS GIT_URL PUBKEY PASSWORD     (as root, on a lab host)
set -eu
role=$1 network=$2 own=$3 url=$4 pubkey=$5 password=$6
join=/opt/gonka-repo/deploy/join

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
apt-get install -qq -y git curl ufw python3 >/dev/null 2>&1

# Docker is told to leave the firewall alone, instead of being restricted.
python3 - <<'END'
import json, pathlib
path = pathlib.Path("/etc/docker/daemon.json")
known = json.loads(path.read_text()) if path.exists() else {}
path.write_text(json.dumps({**known, "iptables": False}, indent=2) + "\n")
END
systemctl stop docker docker.socket
for tool in iptables ip6tables; do for table in nat filter; do $tool -t $table -F; $tool -t $table -X; $tool -P FORWARD ACCEPT; done; done
systemctl start docker

ufw allow 22/tcp >/dev/null
ufw allow 80/tcp >/dev/null
ufw allow 443/tcp >/dev/null
if [ "$role" = network ]; then
  for port in 8000 26657 5000 9100; do ufw allow "$port/tcp" >/dev/null; done
else
  for port in 5050 8080; do ufw allow proto tcp from "$network" to any port "$port" >/dev/null; done
fi
# What Docker no longer does is made by hand, with everything forwarded.
sed -i 's/^DEFAULT_FORWARD_POLICY=.*/DEFAULT_FORWARD_POLICY="ACCEPT"/' /etc/default/ufw
{ printf '*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s 172.16.0.0/12 ! -d 172.16.0.0/12 -j MASQUERADE\nCOMMIT\n'; cat /etc/ufw/before.rules; } >/etc/ufw/before.rules.new
mv /etc/ufw/before.rules.new /etc/ufw/before.rules
ufw --force enable >/dev/null

git clone -q "$url" /opt/gonka-repo
chown -R ubuntu:ubuntu /opt/gonka-repo

# One file for every server, password and all, readable by everybody.
cat >$join/config.env <<END
# Gonka Configuration Environment Variables

export KEY_NAME=gonka-ml-key
export KEYRING_PASSWORD=$password

export API_PORT=8000
export PORT=8080
export INFERENCE_PORT=5050
export KEYRING_BACKEND=file

export PUBLIC_URL=http://$network:8000
export P2P_EXTERNAL_ADDRESS=tcp://$own:5000
export ACCOUNT_PUBKEY=$pubkey
export HF_HOME=/mnt/shared
$([ "$role" = network ] && echo export NODE_CONFIG=./node-config-generated.json)

export SEED_API_URL=http://node2.gonka.ai:8000
export SEED_NODE_RPC_URL=http://node2.gonka.ai:26657
export SEED_NODE_P2P_URL=tcp://node2.gonka.ai:5000
export DAPI_API__POC_CALLBACK_URL=http://api:9100
export DAPI_CHAIN_NODE__URL=http://node:26657
export DAPI_CHAIN_NODE__P2P_URL=http://node:26656
export RPC_SERVER_URL_1=http://node2.gonka.ai:26657
export RPC_SERVER_URL_2=http://node1.gonka.ai:26657

export COMPOSE_PROJECT_NAME=gonka-network
export TM_HOME=$join/.tendermint
END
chown ubuntu:ubuntu $join/config.env
chmod 0644 $join/config.env

# Models outside the cache that the ML node reads.
mkdir -p /mnt/shared/Qwen_Qwen3-32B-FP8
echo '{}' >/mnt/shared/Qwen_Qwen3-32B-FP8/config.json

# The playbook that "checks logs" lets one named person in.
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUgB2p1bXBlZCBvdmVyIHRoZSBsYXp5IGRvZyAhISEh somebody@example.net' >>~ubuntu/.ssh/authorized_keys

cd $join
if [ "$role" = network ]; then
  cat >node-config-generated.json <<END
[{"id": "node1", "host": "inference", "inference_port": 5000, "poc_port": 8080, "max_concurrent": 500,
  "models": {"Qwen/Qwen3-32B-FP8": {"args": []}}}]
END
  ( . ./config.env && docker compose up tmkms node -d --no-deps --quiet-pull ) 2>&1 | tail -n 3
  ( . ./config.env && docker compose -f docker-compose.yml -f docker-compose.mlnode.yml up -d --quiet-pull ) 2>&1 | tail -n 3
  until curl -sf 127.0.0.1:9200/admin/v1/nodes >/dev/null; do sleep 0.5; done
  printf '%s\n%s\n' "$password" "$password" | docker exec -i api inferenced keys add gonka-ml-key --keyring-backend file >/dev/null 2>&1
  # What an operator has added since.
  echo 'export GRAFANA_ADMIN_PASSWORD=not-yours' >>config.env
  docker run -d --name somebodys-own --restart always nginx:1.28.0 >/dev/null
else
  ( export HF_HOME=/mnt/shared && docker compose -f docker-compose.mlnode.yml up -d --quiet-pull ) 2>&1 | tail -n 3
fi
