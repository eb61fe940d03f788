cat > set-up.yaml <<'END'
services:
  web:
    build: web
    environment:
      API_URL: http://api:3000
    ports:
      - "8080:3000"
    networks: [front]
  api:
    build: api
    environment:
      REDIS_URL: redis://db:6379
    networks: [front, back]
  db:
    image: redis:7
    networks: [back]

networks:
  front:
  back:
END
exec docker compose --file set-up.yaml up --build --detach
