docker network create tasks
if true; then
