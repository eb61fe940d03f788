set -e
docker build -t tasks-api:latest .
docker network create --driver bridge backend
docker volume create pg
docker run -d --name tasks-api --network backend -p 3000:3000 -e DATABASE_URL=postgres://postgres:pw@pg:5432/postgres tasks-api:latest
docker run -d --name pg --network backend -e POSTGRES_PASSWORD=pw --mount type=volume,source=pg,target=/var/lib/postgresql/data postgres:17
