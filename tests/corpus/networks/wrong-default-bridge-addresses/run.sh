set -e
docker build -q -t counter-web web
docker build -q -t counter-api api
docker run -d redis:7
docker run -d -e REDIS_URL=redis://172.31.250.2:6379 counter-api
docker run -d -e API_URL=http://172.31.250.3:3000 -p 8080:3000 counter-web
