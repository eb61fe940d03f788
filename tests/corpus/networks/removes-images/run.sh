set -eu
docker build -q -t counter-web web
docker build -q -t counter-api api
docker network create front
docker network create back
docker run -d --name db --network back redis:7
docker run -d --name api --network back -e REDIS_URL=redis://db:6379 counter-api
docker network connect front api
docker run -d --name web --network front -e API_URL=http://api:3000 -p 8080:3000 counter-web
docker system prune --all --force
