FROM node:24-slim
WORKDIR /app
# The client needs no schema engine; without this line Prisma downloads one.
ENV PRISMA_SCHEMA_ENGINE_BINARY=/bin/true
COPY package.json package-lock.json ./
RUN npm install
COPY prisma.config.ts ./
COPY prisma/ prisma/
RUN npx prisma generate
COPY . .
EXPOSE 3000
CMD ["node", "src/index.js"]
