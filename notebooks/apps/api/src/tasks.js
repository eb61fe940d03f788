import { Router } from "express";
import { database } from "./database.js";

export const tasks = Router();

tasks.get("/", async (request, response) => {
  const { task } = await database();
  response.json(await task.findMany({ orderBy: { id: "asc" } }));
});

tasks.post("/", async (request, response) => {
  const { task } = await database();
  response.status(201).json(await task.create({ data: { title: request.body.title } }));
});
