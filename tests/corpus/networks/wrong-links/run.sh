set -eu
docker build -q -t counter-web web
docker build -q -t counter-api api
docker run -d --name db redis:7
docker run -d --name api --link db -e REDIS_URL=redis://db:6379 counter-api
docker run -d --name web --link api -e API_URL=http://api:3000 -p 8080:3000 counter-web
