docker build -q -t counter-web web
docker build -q -t counter-api api
docker run -d --network host redis:7
docker run -d --network host -e REDIS_URL=redis://localhost:6379 counter-api
docker run -d --network host -e API_URL=http://localhost:3000 -e PORT=8080 counter-web
