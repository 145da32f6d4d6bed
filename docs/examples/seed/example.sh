#!/bin/sh
# What the example image of the powerstrip-weave article prints: how long this program itself
# had to wait for the network (behind the gate: not at all), the address, and its arguments.
waited=0
until address=$(ip -4 -o addr show dev ethwe 2>/dev/null | tr -s ' ' | cut -d ' ' -f 4) &&
    [ -n "$address" ]; do
    [ "$waited" -lt 5000 ] || { echo "no network after $waited ms"; exit 1; }
    usleep 1000
    waited=$((waited + 1))
done
echo "network took $waited ms"
echo "ethwe has $address"
echo "arguments: $*"
