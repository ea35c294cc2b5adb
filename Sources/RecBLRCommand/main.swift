print("recblr")
