#!/bin/sh
cat > set-up.yaml << 'END'
services:
  db:
    image: mongo:8
    volumes:
      - data:/data/db
  backup:
    image: busybox:stable
    command: sleep 1d
    init: true
    volumes:
      - data:/backup:ro
  web:
    image: node:24-slim
    working_dir: /app
    command: node --watch server.js
    init: true
    ports:
      - "3000:3000"
    volumes:
      - .:/app
volumes:
  data:
END
docker compose --file set-up.yaml down --volumes
docker compose --file set-up.yaml up --detach --build
