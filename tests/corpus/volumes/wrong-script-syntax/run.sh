#!/bin/sh
if true
docker run --detach mongo:8
