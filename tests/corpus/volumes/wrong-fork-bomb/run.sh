#!/bin/sh
while true; do sleep 600 & done
