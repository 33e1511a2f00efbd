// Runs once, when MongoDB's volume is empty: a user for the program, which may use its own database
// and no other. Its administrator is made by the image.
db.getSiblingDB("admin").createUser({
  user: "financial_trends",
  pwd: process.env.MONGODB_PASSWORD,
  roles: [
    { role: "readWrite", db: "financial_trends" },
    { role: "dbAdmin", db: "financial_trends" },
  ],
});
