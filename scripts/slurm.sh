#!/usr/bin/env bash
# `ganbench run` on a Ray cluster of its own inside a Slurm allocation. What follows the script are the words of the run:
#
#   sbatch --nodes=4 --cpus-per-task=32 --gpus-per-node=4 --time=24:00:00 scripts/slurm.sh gran --seeds 3 --results /data/results
#
# Two minutes before the time limit (and before a preemption, where Slurm is set to send the signal) all runs
# write a checkpoint, and the job is queued again; it goes on where it was. docs/cluster.md says what to look after.
#
#SBATCH --job-name=ganbench
#SBATCH --ntasks-per-node=1
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

unset PYTHONOPTIMIZE # without docstrings Ray's agents do not start
if [[ -z ${PYTHONPATH:-} ]]; then unset PYTHONPATH; fi # Ray would add to it, and an empty rest means the working directory
ray=${RAY:-ray}
ganbench=${GANBENCH:-ganbench}
head=${SLURMD_NODENAME:-$(hostname)}
port=${RAY_PORT:-$((20000 + SLURM_JOB_ID % 20000))}
folder=/tmp/ray-$SLURM_JOB_ID # short: the names of Ray's sockets have room for about 100 characters
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")

ip=$(getent ahostsv4 "$head" | awk '$1 !~ /^127\./ {print $1; exit}' || true)
ip=${ip:-$(hostname -I | awk '{print $1}')}

# Who can reach Ray's ports can run code as you: every job has a token of its own.
RAY_AUTH_TOKEN=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0
if [[ -n ${SLURM_CPUS_PER_TASK:-} ]]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi # srun does not take it from sbatch

steps=()
driver=
warned=
# shellcheck disable=SC2317  # called by traps
end() {
  trap '' USR1 TERM INT
  if [[ -n $driver ]]; then kill -TERM "$driver" 2>/dev/null || true; wait "$driver" || true; fi
  if ((${#steps[@]})); then kill -TERM "${steps[@]}" 2>/dev/null || true; wait "${steps[@]}" || true; fi
  timeout 30 srun --nodes="${#nodes[@]}" --ntasks="${#nodes[@]}" rm -rf "$folder" || true
}
# shellcheck disable=SC2317
stop() { if [[ -n $driver ]]; then kill -TERM "$driver" 2>/dev/null || true; fi; }
requeue() {
  echo "queued again, to go on from the checkpoints" >&2
  scontrol requeue "$SLURM_JOB_ID"
  exit 130
}
trap end EXIT
trap 'warned=1; stop' USR1
trap stop TERM INT

start() { # NODE, then what `ray start` is told
  local node=$1
  shift
  # shellcheck disable=SC2016  # for the node's shell
  srun --nodes=1 --ntasks=1 --nodelist="$node" bash -c 'exec "$@" --num-cpus="${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}"' - \
    "$ray" start --block --temp-dir="$folder" "$@" &
  steps+=($!)
}

joined() { "$ray" status --address="$ip:$port" 2>/dev/null | grep -c '^ 1 node_' || true; }

start "$head" --head --node-ip-address="$ip" --port="$port" --include-dashboard=false
until (exec 3<>"/dev/tcp/$ip/$port") 2>/dev/null; do
  kill -0 "${steps[0]}" || { echo "Ray's head has not started on $head ($ip:$port)" >&2; exit 1; }
  sleep 1
done
for node in "${nodes[@]}"; do
  if [[ $node != "$head" ]]; then start "$node" --address="$ip:$port"; fi
done
for ((waited = 0; $(joined) < ${#nodes[@]}; waited += 2)); do
  if [[ -n $warned ]]; then requeue; fi
  ((waited < 300)) || { echo "only $(joined) of ${#nodes[@]} nodes have joined the cluster" >&2; exit 1; }
  sleep 2
done

"$ganbench" run "$@" --address "$ip:$port" &
driver=$!
if [[ -n $warned ]]; then stop; fi
while true; do
  wait "$driver" && code=0 || code=$?
  kill -0 "$driver" 2>/dev/null || break # a signal ends the wait before the driver has ended
done
driver=
if [[ -n $warned && ($code -eq 130 || $code -eq 143) ]]; then requeue; fi # 143: the warning came before it could take it
exit "$code"
