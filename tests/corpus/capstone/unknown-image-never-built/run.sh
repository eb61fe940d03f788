docker network create tasks
docker volume create tasks
docker run --detach --name db --network tasks --env POSTGRES_PASSWORD=secret --volume tasks:/var/lib/postgresql/data postgres:17
docker run --detach --name api --network tasks --publish 3000:3000 --env DATABASE_URL=postgres://postgres:secret@db:5432/postgres api
