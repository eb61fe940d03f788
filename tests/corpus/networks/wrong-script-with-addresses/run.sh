docker build -q -t counter-web web
docker build -q -t counter-api api
docker network create --subnet 172.29.1.0/24 front
docker network create --subnet 172.29.2.0/24 back
docker run -d --name db --network back redis:7
docker run -d --name api --network front -e REDIS_URL=redis://172.29.2.2:6379 counter-api
docker network connect back api
docker run -d --name web --network front -e API_URL=http://172.29.1.2:3000 -p 8080:3000 counter-web
