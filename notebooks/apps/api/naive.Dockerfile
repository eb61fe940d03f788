FROM node:24-slim
WORKDIR /app
COPY . .
# The client needs no schema engine; without this line Prisma downloads one.
ENV PRISMA_SCHEMA_ENGINE_BINARY=/bin/true
RUN npm install
RUN npx prisma generate
EXPOSE 3000
CMD ["node", "src/index.js"]
