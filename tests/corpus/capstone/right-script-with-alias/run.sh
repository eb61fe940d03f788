docker network create tasks
docker volume create tasks
docker build --tag api .
docker run --detach --name d1 --network tasks --network-alias postgres --env POSTGRES_PASSWORD=secret --volume tasks:/var/lib/postgresql/data postgres:17
docker run -d --restart=unless-stopped --network tasks -p 3000:3000 --env DATABASE_URL=postgres://postgres:secret@postgres:5432/postgres api
